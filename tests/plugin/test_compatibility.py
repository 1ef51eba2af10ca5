"""A program written for the released schema works with the present one.

`released.json` is the schema of the last release, without descriptions. It is written anew at each release, and before
the first one whenever a break is meant to be: `./counter generate --release`.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.checkout.generate import without_descriptions
from components.plugin import NAME, CounterProvider
from components.version import VERSION

from .compatibility import breaks

RELEASED: dict[str, Any] = json.loads((Path(__file__).parent / "released.json").read_text(encoding="utf-8"))
COUNTER = f"{NAME}:index:StreamTriggeredCounter"
CONSUMER = f"{NAME}:index:StreamConsumer"
STREAM = f"{NAME}:index:StreamArgs"
STATEMENT = f"{NAME}:index:StatementArgs"


def test_nothing_that_was_released_is_taken_back() -> None:
    assert breaks(RELEASED, CounterProvider().document) == []


def test_a_release_was_recorded_when_the_version_changed() -> None:
    assert RELEASED["version"] == VERSION, "run ./counter generate --release"


def test_the_released_schema_is_a_whole_one_without_descriptions() -> None:
    assert {COUNTER, CONSUMER} <= RELEASED["resources"].keys()
    assert without_descriptions(RELEASED) == RELEASED
    assert len(list(mutants())) > 150


def mutants() -> Iterator[tuple[str, dict[str, Any]]]:
    """Go through every break of the released schema that there can be, each with the sentence that names it."""
    for kind in ("resources", "types"):
        for token, definition in RELEASED[kind].items():
            yield f"{token} is removed", changed(kind, token, remove=True)
            for part, what in (
                ("inputProperties", "input"),
                ("properties", "output" if kind == "resources" else "property"),
            ):
                for name in definition.get(part, ()):
                    yield f"{token}: {what} {name} is removed", changed(kind, token, part, name, remove=True)
                    other = {"type": "string", "plain": True, "other": True}
                    yield f"{token}: {what} {name} is of another type", changed(kind, token, part, name, value=other)
            required, what = ("requiredInputs", "input") if kind == "resources" else ("required", "property")
            for name in definition.get("inputProperties" if kind == "resources" else "properties", ()):
                if name not in definition.get(required, ()):
                    more = [*definition.get(required, ()), name]
                    yield f"{token}: {what} {name} is required", changed(kind, token, required, value=more)
            for name in definition.get("required", ()) if kind == "resources" else ():
                fewer = [one for one in definition["required"] if one != name]
                yield f"{token}: output {name} may be missing", changed(kind, token, "required", value=fewer)
            for member in definition.get("enum", ()):
                fewer = [one for one in definition["enum"] if one != member]
                yield f"{token}: value {member['value']} is removed", changed(kind, token, "enum", value=fewer)
            if "enum" in definition:
                yield f"{token} is of another type", changed(kind, token, "type", value="integer")


def changed(*path: str, value: Any = None, remove: bool = False) -> dict[str, Any]:
    """Return the released schema with one place set to a value, or removed."""
    schema = copy.deepcopy(RELEASED)
    place: Any = schema
    for key in path[:-1]:
        place = place[key]
    if remove:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return schema


def test_every_break_is_found_and_named() -> None:
    for sentence, schema in mutants():
        assert breaks(RELEASED, schema) == [sentence]


@pytest.mark.parametrize(
    "schema",
    [
        changed("resources", f"{NAME}:index:New", value=RELEASED["resources"][COUNTER]),
        changed("resources", COUNTER, "inputProperties", "more", value={"type": "string"}),
        changed("resources", COUNTER, "properties", "more", value={"type": "string"}),
        changed("resources", CONSUMER, "requiredInputs", value=[]),
        changed("resources", COUNTER, "required", value=[*RELEASED["resources"][COUNTER]["required"], "more"]),
        changed("types", f"{NAME}:index:New", value=RELEASED["types"][STATEMENT]),
        changed("types", STREAM, "properties", "more", value={"type": "string"}),
        changed("types", STATEMENT, "required", value=[]),
        changed("resources", COUNTER, "description", value="Something else."),
        changed("version", value="9.9.9"),
    ],
)
def test_an_addition_or_a_looser_limit_is_not_a_break(schema: dict[str, Any]) -> None:
    assert schema != RELEASED
    assert breaks(RELEASED, schema) == []
