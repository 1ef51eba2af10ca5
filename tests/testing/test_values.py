"""The wire format of property values, read and written."""

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pulumi
import pytest
from google.protobuf import json_format, struct_pb2

from components.engine.answers import Place
from components.engine.resource import Alias, Invoke, Resource
from components.engine.server import Message
from components.engine.stack_config import StackConfig
from components.engine.values import UNKNOWN, Decoded, ResourceReference, decode, encode, strings
from components.internals import ARCHIVE, ASSET, OUTPUT, SECRET, SIGNATURE
from components.testing import Result


def wire(value: object) -> struct_pb2.Struct:
    return json_format.ParseDict({"value": value}, struct_pb2.Struct())


def special(signature: str, **fields: object) -> dict[str, object]:
    return {SIGNATURE: signature, **fields}


@pytest.mark.parametrize("value", ["", "text", True, False, 0, -3, 2.5, [], [1, "a", [True]], {}, {"a": {"b": [1]}}])
def test_plain_values_survive_a_round_trip(value: object) -> None:
    assert decode(encode({"value": value})).values == {"value": value}


@pytest.mark.parametrize(
    "record", [Alias, Decoded, Invoke, Message, Place, Resource, ResourceReference, Result, StackConfig]
)
def test_what_a_run_recorded_cannot_be_changed(record: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(object.__new__(record), fields(record)[0].name, None)


def test_whole_numbers_are_integers() -> None:
    decoded = decode(wire(3.0)).values["value"]
    assert decoded == 3
    assert isinstance(decoded, int)


def test_null_properties_are_left_out_but_null_items_stay() -> None:
    assert decode(encode({"gone": None, "list": [None]})).values == {"list": [None]}


def test_unknown_values_are_the_one_unknown() -> None:
    values = decode(encode({"a": UNKNOWN, "b": {"c": [UNKNOWN]}})).values
    assert values["a"] is UNKNOWN
    assert values["b"]["c"][0] is UNKNOWN


def test_secrets_are_unwrapped_and_their_paths_kept() -> None:
    secret = special(SECRET, value={"token": "hush"})
    decoded = decode(wire({"inner": [1, secret]}))
    assert decoded.values == {"value": {"inner": [1, {"token": "hush"}]}}
    assert decoded.secrets == {"value.inner[1]"}


def test_secret_output_values_are_unwrapped() -> None:
    known = special(OUTPUT, value="v", secret=True)
    unknown = special(OUTPUT)
    decoded = decode(wire([known, unknown]))
    assert decoded.values == {"value": ["v", UNKNOWN]}
    assert decoded.secrets == {"value[0]"}


def test_resource_references_survive_a_round_trip() -> None:
    reference = ResourceReference("urn:pulumi:a::b::c::d", "id")
    assert decode(encode({"value": reference})).values == {"value": reference}


def test_archives_become_pulumis_objects() -> None:
    text = special(ASSET, text="x = 1")
    file = special(ASSET, path="a.py")
    folder = special(ARCHIVE, path="folder")
    archive = special(ARCHIVE, assets={"t.py": text, "f.py": file, "d": folder})
    decoded = decode(wire(archive)).values["value"]
    assert isinstance(decoded, pulumi.AssetArchive)
    assert {name: vars(asset) for name, asset in decoded.assets.items()} == {
        "t.py": {"text": "x = 1"},
        "f.py": {"path": "a.py"},
        "d": {"path": "folder"},
    }
    assert isinstance(decoded.assets["d"], pulumi.FileArchive)


def test_an_empty_text_and_an_empty_archive_may_be_sent_without_contents() -> None:
    text, archive = decode(wire([special(ASSET), special(ARCHIVE)])).values["value"]
    assert (vars(text), vars(archive)) == ({"text": ""}, {"assets": {}})


def test_an_unknown_value_shows_that_it_is_unknown() -> None:
    assert repr({"arn": UNKNOWN}) == "{'arn': <unknown>}"


def test_remote_assets_keep_their_address() -> None:
    asset = special(ASSET, uri="https://example.com/a")
    archive = special(ARCHIVE, uri="https://example.com/b.zip")
    values = decode(wire([asset, archive])).values["value"]
    assert [value.uri for value in values] == ["https://example.com/a", "https://example.com/b.zip"]


def test_an_unknown_signature_is_refused_with_its_path() -> None:
    with pytest.raises(ValueError, match=r"^value\.a: unknown signature 'nonsense'"):
        decode(wire({"a": special("nonsense")}))


def test_a_value_that_is_not_a_property_value_is_refused() -> None:
    with pytest.raises(TypeError, match="of type object cannot be a property value"):
        encode({"a": object()})


def test_strings_finds_every_string_with_its_path() -> None:
    archive = pulumi.AssetArchive({"m.py": pulumi.StringAsset("code")})
    value = {"a": ["x", {"b": "y"}], "n": 1, "code": archive}
    assert list(strings(value)) == [("a[0]", "x"), ("a[1].b", "y"), ("code.m.py", "code")]
