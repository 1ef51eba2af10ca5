"""Changes to a schema that would break an SDK generated from an earlier one."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.checkout.generate import without_descriptions

Schema = Mapping[str, Any]


def breaks(released: Schema, present: Schema) -> list[str]:
    """List what is in the released schema and missing, stricter or of another type in the present one."""
    found: list[str] = []
    for token, old in released["resources"].items():
        if (new := present["resources"].get(token)) is None:
            found.append(f"{token} is removed")
            continue
        found += _properties(f"{token}: input", old["inputProperties"], new["inputProperties"])
        found += _newly_required(f"{token}: input", old.get("requiredInputs", ()), new.get("requiredInputs", ()))
        found += _properties(f"{token}: output", old["properties"], new["properties"])
        # An output that was always there may be missing in the other's place.
        found += _no_longer_required(f"{token}: output", old.get("required", ()), new.get("required", ()))
    for token, old in released["types"].items():
        if (new := present["types"].get(token)) is None:
            found.append(f"{token} is removed")
        elif "enum" in old:
            kept = {member["value"] for member in new.get("enum", ())}
            found += [f"{token}: value {one['value']} is removed" for one in old["enum"] if one["value"] not in kept]
        else:
            found += _properties(f"{token}: property", old["properties"], new.get("properties", {}))
            found += _newly_required(f"{token}: property", old.get("required", ()), new.get("required", ()))
        if new is not None and old.get("type") != new.get("type"):
            found.append(f"{token} is of another type")
    return found


def _properties(where: str, old: Schema, new: Schema) -> Iterator[str]:
    for name, declared in old.items():
        if name not in new:
            yield f"{where} {name} is removed"
        elif without_descriptions(declared) != without_descriptions(new[name]):
            yield f"{where} {name} is of another type"


def _newly_required(where: str, old: Any, new: Any) -> Iterator[str]:
    return (f"{where} {name} is required" for name in new if name not in old)


def _no_longer_required(where: str, old: Any, new: Any) -> Iterator[str]:
    return (f"{where} {name} may be missing" for name in old if name not in new)
