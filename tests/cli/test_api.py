"""The credentials that a command sends to an API: those that the API's own document requires, and no others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from cli import api as module
from cli.api import Answer, Api, ApiError
from cli.deployment import Deployment
from cli.main import main

Sent = list[tuple[str, str, Mapping[str, str]]]
SECURITY: Mapping[str, Any] = {"none": None, "jwt": [{"jwt": ["a"]}, {"jwt": ["b"]}], "iam": [{"iam": []}]}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Answer every request with 403, and the document with routes of each kind."""
    requests: Sent = []

    def answer(url: str, method: str = "GET", *, headers: Mapping[str, str], timeout: float = 0) -> Answer:
        requests.append((method, url, headers))
        paths = {f"/{kind}/{{tag}}": {"post": {"security": way} if way else {}} for kind, way in SECURITY.items()}
        return Answer(403, json.dumps({"paths": paths, "message": "Forbidden"}), 1)

    monkeypatch.setattr(module, "request", answer)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "key")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return requests


def api(**more: Any) -> Api:
    return Api(Deployment({"apiEndpoint": "https://api.example.org"}, region="eu-west-1"), **more)


def test_an_open_route_gets_no_credentials(sent: Sent) -> None:
    answer = api(token="t").request("/none/{tag}", "POST", tag="a b")
    assert sent[-1] == ("POST", "https://api.example.org/none/a%20b", {"Accept": "application/json"})
    assert api().hint("/none/{tag}", "POST", answer) == ""


def test_a_route_with_tokens_gets_the_token(sent: Sent) -> None:
    answer = api(token="t").request("/jwt/{tag}", "POST", tag="a")
    assert sent[-1][2]["Authorization"] == "Bearer t"
    assert api().hint("/jwt/{tag}", "POST", answer) == "; the token needs one of the scopes a, b"
    with pytest.raises(
        ApiError, match=r"^POST /jwt/.tag. requires a token \(JWT\); give --token, or set COUNTER_TOKEN$"
    ):
        api().request("/jwt/{tag}", "POST", tag="a")


def test_a_route_with_signatures_gets_one_for_its_region(sent: Sent) -> None:
    answer = api(token="t").request("/iam/{tag}", "POST", tag="a")
    signature = sent[-1][2]["Authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=key/")
    assert "/eu-west-1/execute-api/aws4_request, SignedHeaders=accept;host;x-amz-date, Signature=" in signature
    assert api().hint("/iam/{tag}", "POST", answer) == "; the caller needs execute-api:Invoke on this route"


def test_without_aws_credentials_a_signature_is_refused_in_a_sentence(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    with pytest.raises(ApiError, match=r"requires a request signed with AWS credentials \(AWS_IAM\): Unable to locate"):
        api().request("/iam/{tag}", "POST", tag="a")
    assert [url for _, url, _ in sent] == ["https://api.example.org/openapi.json"]


def test_a_header_of_the_users_own_comes_first(sent: Sent) -> None:
    api(token="t", headers={"authorization": "Other"}).request("/jwt/{tag}", "POST", tag="a")
    assert sent[-1][2] == {"Accept": "application/json", "authorization": "Other"}


@pytest.mark.parametrize("value", ["Bearer secret", "sec\nret", "sécret", "secret "])
def test_a_value_that_is_no_token_is_refused_and_not_shown(
    value: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTER_TOKEN", value)
    assert main(["status", "--table", "t"]) == 2
    errors = capsys.readouterr().err
    assert "the value is not a bearer token" in errors
    assert "cret" not in errors
