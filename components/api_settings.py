"""The arguments of the HTTP API: its limits, its features, and the credentials that it requires.

The limits are those of `RouteSettings` and `CreateRoute` in API Gateway's API reference.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pulumi

from .checks import ArgumentError, Items, Number, OneOf, Text, arn
from .function import LOG_RETENTION_DAYS
from .functions_package import Access, Features, document
from .settings import Settings, setting

RECORD, READ = "record", "read"
"""The groups of the routes that record visits, and of those that read counts; `x-group` in the OpenAPI document."""
MAX_ALLOWED_TAGS_LENGTH = 2_000
"""The maximum number of bytes of all allowed tags as JSON. Lambda allows 4 KB for all environment variables."""


def _tag_or_pattern() -> Text:
    schema = document()["components"]["schemas"]["Tag"]
    reserved = "|".join(map(re.escape, schema["not"]["enum"]))
    pattern = schema["pattern"].removeprefix("^").removesuffix("+$")
    what = f"a tag, or a pattern in which * stands for any characters; at most {schema['maxLength']} characters"
    return Text(what, rf"(?!(?:{reserved})$){pattern}{{1,{schema['maxLength']}}}")


class Authorization(StrEnum):
    """The credentials that the requests of a group of routes must carry."""

    NONE = "NONE"
    """None: everyone may call the routes."""
    JWT = "JWT"
    """A JSON Web Token of the issuer, in the header `Authorization`."""
    AWS_IAM = "AWS_IAM"
    """A signature (AWS Signature Version 4) of a principal that may `execute-api:Invoke` the route."""


DOMAIN_NAME = Text(
    "a domain name in lower case, such as count.example.org",
    r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
    most=253,
)
CERTIFICATE_ARN = arn("an ACM certificate in the API's region", "acm", r"certificate/[A-Za-z0-9-]{1,64}")
HOSTED_ZONE_ID = Text("the id of a hosted zone, such as Z0123456789EXAMPLE", r"[A-Z0-9]{1,32}")
AUDIENCE = Text("an audience, without spaces", r"[^\s\x00-\x1f\x7f]+")
SCOPE = Text("1 to 64 visible ASCII characters except quotes and backslashes", r"[!#-\[\]-~]{1,64}")
ISSUER = Text(
    "the URL of an issuer, such as https://example.org; on the local cloud also http://127.0.0.1:PORT",
    r"(https://[^\s/?#]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?)(/[^\s?#]*)?",
    most=2_048,
)
_HOST = r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?|\[[0-9a-f:.]+\]"
ORIGIN = Text(
    "an origin as browsers send it, such as https://example.org (in lower case, without a path or a default port); or "
    "https://*, http://* or * for any",
    rf"\*|https?://\*|(?!https://.*:443$|http://.*:80$)[a-z][a-z0-9+.-]*://({_HOST})(:[1-9][0-9]{{0,4}})?",
)
MAX_SCOPES, MAX_AUDIENCES = 10, 50
"""The maximum numbers of scopes of a route, and of audiences of an authorizer, which AWS does not raise on request.

See "Quotas for configuring and running an HTTP API" in the API Gateway Developer Guide.
"""


@dataclass(frozen=True, kw_only=True)
class ApiSettings(Settings):
    """The HTTP API."""

    cors_allow_origins: Sequence[str] = setting((), Items(ORIGIN))
    """The origins whose pages may call the API from a browser. API Gateway compares them with the header `Origin` as
    they are, so there are no wildcards for parts of a host."""
    throttling_rate_limit: float = setting(1_000.0, Number(1, whole=False))
    """Requests per second, on average, that the API lets through. All APIs of an account and region together have
    10,000 unless AWS raises your quota. The default is what one DynamoDB item can take, which a single busy tag is."""
    throttling_burst_limit: int = setting(2_000, Number(1))
    """Requests that the API lets through at once. All APIs of an account and region together have 5,000 unless AWS
    raises your quota."""
    access_logs: bool = setting(True)
    """Whether each request is logged in a line of JSON: route, status and times, but not the tag. A line has about 300
    bytes. The log group's name begins with `/aws/vendedlogs/`, which keeps the account's resource policy for such logs
    short."""
    access_log_retention_in_days: int = setting(30, OneOf(LOG_RETENTION_DAYS))
    """How many days the access log keeps its lines."""
    access_log_addresses: bool = setting(False)
    """Whether the access log also has the visitor's IP address and user agent, which are personal data in many
    countries."""
    record_throttling_rate_limit: float | None = setting(None, Number(1, whole=False))
    """Requests per second, on average, that each route that records visits lets through. By default it is half of
    `throttling_rate_limit`, so that a flood of visits leaves room for reads."""
    record_throttling_burst_limit: int | None = setting(None, Number(1))
    """Requests that each route that records visits lets through at once. By default it is half of
    `throttling_burst_limit`."""
    count_by_get: bool = setting(True)
    """Whether a GET of `/tag/{tag}` or of a badge records a visit, so that links and images can. If not, only POST
    does, and a badge shows the count."""
    listing: bool = setting(True)
    """Whether `/counts` lists the tags on request. If not, only those who know a tag can read its count."""
    allowed_tags: Sequence[str] = setting((), Items(_tag_or_pattern()))
    """The tags whose visits are recorded; every other tag is refused before anything is written. By default it is any
    tag. Counts of all tags can still be read. All of them together may have 2,000 bytes as JSON."""
    record_authorization: Authorization = setting(Authorization.NONE)
    """The credentials that requests to record a visit must carry: those of `/tag`, `/tags` and, if it counts,
    `/badge`."""
    read_authorization: Authorization = setting(Authorization.NONE)
    """The credentials that requests to read counts must carry: those of `/counts` and `/count`. The start page, the
    OpenAPI document and the static files need none; the start page shows the name and the size of the table."""
    jwt_issuer: pulumi.Input[str] | None = setting(None, ISSUER)
    """The issuer (`iss`) of the tokens, with the authorization JWT only. API Gateway gets its keys from
    `/.well-known/openid-configuration` below this URL."""
    jwt_audiences: Sequence[pulumi.Input[str]] = setting((), Items(AUDIENCE, most=MAX_AUDIENCES))
    """The audiences that are accepted, with the authorization JWT only: a token must have one of them as `aud`, or
    without `aud` as `client_id`."""
    record_scopes: Sequence[str] = setting((), Items(SCOPE, most=MAX_SCOPES))
    """The scopes of which a token must have at least one to record a visit, with the authorization JWT only. By default
    it needs none."""
    read_scopes: Sequence[str] = setting((), Items(SCOPE, most=MAX_SCOPES))
    """The scopes of which a token must have at least one to read counts, with the authorization JWT only. By default it
    needs none."""

    domain_name: pulumi.Input[str] | None = setting(None, DOMAIN_NAME)
    """A domain name of your own for the API, whose address `apiEndpoint` then is. It needs `certificate_arn`."""
    certificate_arn: pulumi.Input[str] | None = setting(None, CERTIFICATE_ARN)
    """The ARN of the certificate for `domain_name`, which must have been issued."""
    hosted_zone_id: pulumi.Input[str] | None = setting(None, HOSTED_ZONE_ID)
    """The id of the public Route 53 hosted zone that gets the records of `domain_name` (A and AAAA). Without it, the
    records are yours to make."""
    disable_execute_api_endpoint: bool = setting(False)
    """Whether the API answers at `domain_name` only, and no longer at the address that AWS gives it."""

    @property
    def authorization(self) -> Mapping[str, Authorization]:
        """The authorization of each group of routes."""
        return {RECORD: self.record_authorization, READ: self.read_authorization}

    @property
    def scopes(self) -> Mapping[str, Sequence[str]]:
        """The scopes of each group of routes."""
        return {RECORD: self.record_scopes, READ: self.read_scopes}

    def features(self) -> Any:
        """Return the features that the functions and the OpenAPI document depend on."""
        access = {group: Access(kind.value, self.scopes[group]) for group, kind in self.authorization.items()}
        return Features(
            count_by_get=self.count_by_get,
            listing=self.listing,
            allowed_tags=self.allowed_tags,
            issuer="" if self.jwt_issuer is None else self.jwt_issuer,
            **access,
        )

    def check_combination(self, given: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Raise `ArgumentError` if the arguments that were given are not allowed together."""
        if (length := len(json.dumps(list(self.allowed_tags)))) > MAX_ALLOWED_TAGS_LENGTH:
            problem = f"{length:,} bytes as JSON are too many"
            raise ArgumentError(self.path_of("allowed_tags"), problem, f"{MAX_ALLOWED_TAGS_LENGTH:,} bytes or less")
        self._check_tokens()
        self._check_domain()

    def _check_domain(self) -> None:
        """Raise `ArgumentError` if the domain name lacks its certificate, or something needs a domain name."""
        domain = self.path_of("domain_name")
        if self.domain_name is not None and self.certificate_arn is None:
            problem = f"is missing, and {domain} needs it"
            raise ArgumentError(self.path_of("certificate_arn"), problem, str(CERTIFICATE_ARN))
        with_domain = {
            "certificate_arn": self.certificate_arn is not None,
            "hosted_zone_id": self.hosted_zone_id is not None,
            "disable_execute_api_endpoint": self.disable_execute_api_endpoint,
        }
        for name, is_given in with_domain.items():
            if is_given and self.domain_name is None:
                problem = f"is given without {domain}"
                raise ArgumentError(self.path_of(name), problem, f"{domain} with it, or neither")

    def _check_tokens(self) -> None:
        """Raise `ArgumentError` if something is missing for tokens, or given for tokens that no route requires."""
        jwt = Authorization.JWT
        fields = {group: self.path_of(f"{group}_authorization") for group in self.authorization}
        needing = [fields[group] for group, kind in self.authorization.items() if kind is jwt]
        given = {"jwt_issuer": self.jwt_issuer is not None, "jwt_audiences": bool(self.jwt_audiences)}
        for name, is_given in given.items():
            check = str(self.declared()[name].metadata["check"])
            if needing and not is_given:
                raise ArgumentError(self.path_of(name), f"is missing, and {needing[0]} is JWT", check)
            if is_given and not needing:
                problem = f"has no effect unless {' or '.join(fields.values())} is JWT"
                raise ArgumentError(self.path_of(name), problem, "JWT with it, or neither")
        for group, scopes in self.scopes.items():
            if scopes and self.authorization[group] is not jwt:
                problem = f"{list(scopes)!r} has no effect with {fields[group]} {self.authorization[group].value}"
                raise ArgumentError(
                    self.path_of(f"{group}_scopes"), problem, f"{fields[group]} JWT with it, or neither"
                )

    def record_limits(self) -> tuple[float, int]:
        """Return the rate and burst limits of each route that records visits."""
        rate, burst = self.record_throttling_rate_limit, self.record_throttling_burst_limit
        return (
            rate if rate is not None else max(1.0, self.throttling_rate_limit / 2),
            burst if burst is not None else max(1, self.throttling_burst_limit // 2),
        )
