"""What tests give the components, and what these answer: a value for every argument, a table to adopt, the outputs."""

import re
from collections.abc import Callable
from dataclasses import Field
from functools import cache
from random import Random
from typing import Any

from hypothesis import Phase, find, settings
from hypothesis import strategies as st

from components.checks import Code, Entries, EventFilter, Flag, Items, Member, Number, OneOf, Text
from components.settings import Group, OnlyWith, Settings, default_of

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/Counts"
STREAM = f"{TABLE}/stream/2026-01-01T00:00:00.000"
DESCRIBED_TABLE: dict[str, Any] = {
    "arn": TABLE,
    "name": "Counts",
    "attributes": [{"name": "ID", "type": "S"}],
    "hashKey": "ID",
    "rangeKey": "",
    "serverSideEncryption": {"enabled": False, "kmsKeyArn": ""},
    "streamArn": STREAM,
    "streamEnabled": True,
    "streamViewType": "NEW_AND_OLD_IMAGES",
}
"""What AWS says of a table that can be adopted."""

OUTPUTS = {
    "apiEndpoint",
    "apiId",
    "tableName",
    "tableArn",
    "streamArn",
    "idempotencyTableName",
    "eventSourceMappingId",
    "functionNames",
    "deadLetterQueueUrl",
    "dashboardUrl",
}


def sample(declared: Field[Any]) -> Any:
    """Return a value that an argument may have, other than its default, as plain data."""
    return _sample(declared.metadata["check"], default_of(declared))


def samples(kind: type[Settings], *without: str) -> dict[str, Any]:
    """Return a value for every argument of a settings class, except those left out; archives are always left out."""
    wanted = {name: one for name, one in kind.declared().items() if name not in (*without, EXCLUDED)}
    return {name: sample(one) for name, one in wanted.items() if not isinstance(one.metadata["check"], Code)}


EXCLUDED = "parallelization_factor"
"""An argument that is not allowed together with another one, `tumbling_window_in_seconds`."""
TOKENS = {
    "record_authorization": "JWT",
    "read_authorization": "JWT",
    "jwt_issuer": "https://id.example.org",
    "jwt_audiences": ["counter"],
}
"""Arguments that are allowed together only."""
DOMAIN = {
    "domain_name": "count.example.org",
    "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/0f0f0f0f-1111-2222-3333-444444444444",
}
WITH_DOMAIN = ("certificate_arn", "hosted_zone_id", "disable_execute_api_endpoint")
"""Arguments that need a domain name."""


def needed(declared: Field[Any]) -> dict[str, Any]:
    """Return the values that other arguments beside this one must have for this one to be allowed, if it needs any."""
    if declared.name in ("domain_name", *WITH_DOMAIN):
        return DOMAIN
    if declared.name in (*TOKENS, "record_scopes", "read_scopes"):
        return {name: value for name, value in TOKENS.items() if value != "JWT" or name != declared.name}
    only_with: OnlyWith | None = declared.metadata.get("only_with")
    return {only_with.name: only_with.value} if only_with else {}


def _sample(check: Any, default: Any) -> Any:
    return _SAMPLES[type(check)](check, default)


@cache
def _text(pattern: str) -> str:
    # A name with an underscore, where one may be, shows a key of the user's that is taken for an argument's.
    if re.fullmatch(pattern, "a_b"):
        return "a_b"
    # What is tried first is short already; to look for the shortest takes a hundred times as long.
    first = settings(phases=[Phase.generate], database=None)
    texts = st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))
    return find(texts, lambda _: True, settings=first, random=Random(0))


_SAMPLES: dict[type, Callable[[Any, Any], Any]] = {
    Flag: lambda _, default: not default,
    Member: lambda check, default: next(member.value for member in check.of if member is not default),
    OneOf: lambda check, default: next(value for value in check.values if value != default),
    Number: lambda check, _: check.minimum + (7 if check.whole else 7.5),
    Items: lambda check, _: [_sample(check.of, None)],
    Entries: lambda check, _: {_sample(check.keys, None): _sample(check.values, None)},
    Group: lambda check, _: samples(check.of),
    Text: lambda check, _: _text(check.pattern),
    EventFilter: lambda _, __: '{"eventName": ["REMOVE"]}',
}
"""How a value is made that each kind of check allows, other than the default."""
