"""A guarded API on the local cloud: tokens to record visits, signatures to read counts, and what is switched off."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.auth import SigV4Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cli.main import main
from tests.running import ROOT, Answer, RunningCloud

AUDIENCE, SCOPE, ORIGIN = "counter", "visits:record", "https://example.org"
DOMAIN = "count.example.org"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """An OpenID Connect issuer on the loopback interface that signs tokens with RS256."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._key.public_key().public_numbers()
        modulus, exponent = (encoded(n.to_bytes((n.bit_length() + 7) // 8, "big")) for n in (numbers.n, numbers.e))
        jwk = {"kty": "RSA", "kid": "first", "alg": "RS256", "use": "sig", "n": modulus, "e": exponent}
        answers = {"/keys": {"keys": [jwk]}}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(answers.get(self.path, {})).encode()
                self.send_response(200 if self.path in answers else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        answers["/.well-known/openid-configuration"] = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}  # type: ignore[dict-item]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, key: rsa.RSAPrivateKey | None = None, **claims: object) -> str:
        """Sign a token that may record visits; `claims` replace those that it has, None removes one."""
        usual = {"iss": self.url, "aud": AUDIENCE, "exp": int(time.time()) + 300, "scope": f"other {SCOPE}"}
        header = {"alg": "RS256", "typ": "JWT", "kid": "first"}
        payload = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, payload))
        signature = (key or self._key).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{encoded(signature)}"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()


@pytest.fixture(scope="module")
def guarded(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    """Start this project's program with everything closed that can be closed."""
    api = {
        "recordAuthorization": "JWT",
        "readAuthorization": "AWS_IAM",
        "jwtIssuer": issuer.url,
        "jwtAudiences": [AUDIENCE],
        "recordScopes": [SCOPE, "admin"],
        "countByGet": False,
        "listing": False,
        "allowedTags": ["news", "blog-*"],
        "corsAllowOrigins": [ORIGIN],
        "domainName": DOMAIN,
        "certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1",
        "hostedZoneId": "Z0123456789EXAMPLE",
        "disableExecuteApiEndpoint": True,
    }
    config = {"aws:region": "eu-west-1"} | {f"stream-triggered-counter:{key}": value for key, value in api.items()}
    directory = tmp_path_factory.mktemp("guarded")
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    (directory / "Pulumi.yaml").write_text(yaml.safe_dump(project | {"main": str(ROOT)}), encoding="utf-8")
    (directory / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    cloud = RunningCloud("--port", "0", "--program", str(directory))
    try:
        yield cloud
    finally:
        cloud.kill()


class Principal:
    """A user with an access key, who may call what the policy allows."""

    def __init__(self, cloud: RunningCloud, name: str, *resources: str) -> None:
        self._cloud = cloud
        iam = cloud.client("iam")
        iam.create_user(UserName=name)
        if resources:
            arns = [f"arn:aws:execute-api:eu-west-1:000000000000:00000001/$default/{one}" for one in resources]
            statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arns}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_user_policy(UserName=name, PolicyName="invoke", PolicyDocument=policy)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        self.key, self.secret = made["AccessKeyId"], made["SecretAccessKey"]

    def get(self, path: str, *, secret: str | None = None) -> Answer:
        """Send a signed GET."""
        request = AWSRequest("GET", self._cloud.outputs["endpointUrl"] + path)
        SigV4Auth(Credentials(self.key, secret or self.secret), "execute-api", "eu-west-1").add_auth(request)
        return self._cloud.request(path, base="endpointUrl", headers=dict(request.headers.items()))


@pytest.fixture(scope="module")
def reader(guarded: RunningCloud) -> Principal:
    return Principal(guarded, "reader", "GET/counts", "GET/counts/*", "GET/badge/*")


def visit(cloud: RunningCloud, tag: str, token: str | None = None, method: str = "POST") -> Answer:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return cloud.request(f"/tag/{tag}", method, base="endpointUrl", headers=headers)


def test_a_token_with_one_of_the_scopes_records_a_visit(
    guarded: RunningCloud, issuer: Issuer, reader: Principal
) -> None:
    for count, token in enumerate([issuer.token(), issuer.token(scope="admin", aud=["x", AUDIENCE])], 1):
        assert visit(guarded, "blog-1", token).json == {"tag": "blog-1", "count": count}
    assert visit(guarded, "blog-1", issuer.token(aud=None, client_id=AUDIENCE)).json["count"] == 3
    assert reader.get("/counts/blog-1").json["count"] == 3


INVALID: Mapping[str, Mapping[str, Any]] = {
    "another audience": {"aud": "another"},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://example.org"},
    "expired": {"exp": 1},
    "not valid yet": {"nbf": 99_999_999_999},
    "another key": {"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)},
}


@pytest.mark.parametrize("claims", INVALID.values(), ids=INVALID)
def test_an_invalid_token_records_nothing(guarded: RunningCloud, issuer: Issuer, claims: Mapping[str, Any]) -> None:
    answer = visit(guarded, "news", issuer.token(**claims))
    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})


def test_without_a_token_nothing_is_recorded(guarded: RunningCloud) -> None:
    for token in (None, "a.b.c", "nonsense"):
        assert visit(guarded, "news", token).status == 401


def test_a_token_without_any_of_the_scopes_is_refused(guarded: RunningCloud, issuer: Issuer, reader: Principal) -> None:
    for scope in ("other", "", None):
        assert visit(guarded, "news", issuer.token(scope=scope)).status == 403
    assert reader.get("/counts/news").json["count"] == 0


def test_a_signed_request_of_an_allowed_principal_reads(reader: Principal) -> None:
    assert reader.get("/counts").json["total"] >= 0
    assert reader.get("/counts/caf%C3%A9%20x").json["tag"] == "caf\u00e9 x"
    assert reader.get("/badge/news?label=a%20b").headers.get_content_type() == "image/svg+xml"


def test_other_requests_to_read_are_refused(guarded: RunningCloud, issuer: Issuer, reader: Principal) -> None:
    stranger = Principal(guarded, "stranger")
    limited = Principal(guarded, "limited", "GET/counts")
    bearer = {"Authorization": f"Bearer {issuer.token()}"}
    refused = {
        "unsigned": guarded.request("/counts", base="endpointUrl"),
        "a token": guarded.request("/counts", base="endpointUrl", headers=bearer),
        "a wrong secret": reader.get("/counts", secret="wrong"),
        "no policy": stranger.get("/counts"),
        "a policy for another route": limited.get("/counts/news"),
        "another route of the policy's": reader.get("/count/news"),
    }
    assert {name: answer.status for name, answer in refused.items()} == dict.fromkeys(refused, 403)
    assert limited.get("/counts").status == 200


def test_a_preflight_needs_no_credentials(guarded: RunningCloud) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = guarded.request("/tag/news", "OPTIONS", base="endpointUrl", headers={"Origin": ORIGIN, **asked})
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in answer.headers["access-control-allow-headers"].split(",")


def test_what_is_switched_off_is_refused(guarded: RunningCloud, issuer: Issuer, reader: Principal) -> None:
    token = issuer.token()
    for method in ("GET", "HEAD"):
        answer = visit(guarded, "news", token, method)
        assert (answer.status, answer.headers["allow"]) == (405, "OPTIONS, POST")
    other = visit(guarded, "other", token)
    assert (other.status, other.json["field"]) == (400, "tag")
    assert "'blog-*'" in other.json["allowed"]
    assert reader.get("/counts/other").json["count"] == 0
    assert reader.get("/counts?limit=5").json["field"] == "limit"
    assert reader.get("/badge/news?count=true").json["field"] == "count"


def test_the_start_page_and_the_document_are_open(guarded: RunningCloud, issuer: Issuer) -> None:
    assert guarded.request("/", base="endpointUrl").status == 200
    served = guarded.request("/openapi.json", base="endpointUrl").json
    url = served["components"]["securitySchemes"]["jwt"]["openIdConnectUrl"]
    assert url == f"{issuer.url}/.well-known/openid-configuration"
    assert list(served["paths"]["/tag/{tag}"].keys() - {"parameters"}) == ["post"]
    assert served["paths"]["/tag/{tag}"]["post"]["security"] == [{"jwt": [SCOPE]}, {"jwt": ["admin"]}]


def test_the_custom_domain_is_served_by_its_name_and_has_an_address_here(guarded: RunningCloud, issuer: Issuer) -> None:
    origin = guarded.outputs["endpointUrl"]
    assert guarded.outputs["apiEndpoint"] == origin
    assert f"Note: https://{DOMAIN} is {origin} here" in guarded.errors
    for headers, status in (({}, 401), ({"Authorization": f"Bearer {issuer.token()}"}, 200)):
        assert guarded.request("/tag/blog-2", "POST", headers={"Host": DOMAIN, **headers}).status == status
    client = guarded.client("apigatewayv2")
    assert client.get_api(ApiId="00000001")["DisableExecuteApiEndpoint"] is True
    [mapping] = client.get_api_mappings(DomainName=DOMAIN)["Items"]
    assert (mapping["ApiId"], mapping["Stage"]) == ("00000001", "$default")


def test_writes_have_lower_limits(guarded: RunningCloud) -> None:
    stage = guarded.client("apigatewayv2").get_stage(ApiId="00000001", StageName="$default")
    limits = {"ThrottlingRateLimit": 500.0, "ThrottlingBurstLimit": 1_000}
    assert stage["RouteSettings"] == {"POST /tag/{tag}": limits, "POST /tags/{tag}": limits}


@pytest.fixture
def command(
    guarded: RunningCloud, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Call a command of the operator on the guarded cloud; returns exit status, output and errors."""
    (tmp_path / "outputs.json").write_text(json.dumps(guarded.outputs), encoding="utf-8")

    def call(*arguments: str, **environment: str) -> tuple[int, str, str]:
        for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", **environment}.items():
            monkeypatch.setenv(name, value)
        status = main([arguments[0], "--outputs", str(tmp_path / "outputs.json"), *arguments[1:]])
        return status, *capsys.readouterr()

    return call


def test_a_smoke_test_takes_the_token_that_the_api_requires(command: Any, issuer: Issuer) -> None:
    status, out, errors = command("smoke-test", "--tag", "news", COUNTER_TOKEN=issuer.token())
    assert (status, "of 'news' is counted, and the total rose from" in out) == (0, True), errors
    assert command("smoke-test", "--tag", "news", "--token", issuer.token())[0] == 0
    for token, reason in (
        ("", "POST /tag/{tag} requires a token (JWT); give --token, or set COUNTER_TOKEN"),
        (issuer.token(exp=1), "status 401: Unauthorized; the token is invalid, expired or for another audience"),
        (issuer.token(scope="other"), f"; the token needs one of the scopes {SCOPE}, admin"),
    ):
        status, _, errors = command("smoke-test", "--tag", "news", COUNTER_TOKEN=token)
        assert (status, reason in errors) == (1, True), errors
        assert not token or token not in errors


def test_the_status_signs_the_request_that_reads_counts(command: Any, guarded: RunningCloud, reader: Principal) -> None:
    assert json.loads(command("status", "--json")[1])["counts"]["status"] == 200
    keys = {"AWS_ACCESS_KEY_ID": reader.key, "AWS_SECRET_ACCESS_KEY": reader.secret}
    assert json.loads(command("status", "--json", **keys)[1])["counts"]["status"] == 200
    stranger = Principal(guarded, "operator")
    keys = {"AWS_ACCESS_KEY_ID": stranger.key, "AWS_SECRET_ACCESS_KEY": stranger.secret}
    status, out, _ = command("status", **keys)
    assert status == 1
    assert "the caller needs execute-api:Invoke on this route." in out
