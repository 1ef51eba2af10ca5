"""`./counter generate`: writes every file that is made from others."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

SUMMARY = "write every generated file anew: the schema, the reference, the configuration keys, the joining letters"
ROOT = Path(__file__).resolve().parents[2]
RELEASED = "tests/plugin/released.json"
"""The schema of the last release, which later ones must stay compatible with; only `--release` writes it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--check", action="store_true", help="write nothing; name the files that are out of date")
    parser.add_argument("--release", action="store_true", help=f"write {RELEASED} as well, as a release does")


def run(arguments: argparse.Namespace) -> int:
    """Write the files that are out of date and name them. With `--check`, returns 1 if there is one."""
    wanted = [*GENERATED, *([RELEASED] if arguments.release else [])]
    outdated = {name: text for name in wanted if (text := expected(name)) != read(name)}
    for name, text in outdated.items():
        if arguments.check:
            print(f"{name} is out of date; run ./counter generate{' --release' if name == RELEASED else ''}")
        else:
            (ROOT / name).write_text(text, encoding="utf-8")
            print(f"{name} written")
    if not outdated:
        print(f"{len(wanted)} generated files are up to date")
    return 1 if arguments.check and outdated else 0


def expected(name: str) -> str:
    """Return the text that a generated file should have, by its path in the repository."""
    return released() if name == RELEASED else GENERATED[name]()


def read(name: str) -> str:
    """Return the text that a generated file has; empty if it does not exist."""
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def document() -> Mapping[str, Any]:
    """Return the components' schema, as the plugin serves it."""
    from components.plugin import CounterProvider  # noqa: PLC0415 - `--help` does without

    return CounterProvider().document


def schema() -> str:
    """Make components/schema.json, which other languages' SDKs are generated from."""
    return _json(document())


def released() -> str:
    """Make the schema that later ones must stay compatible with."""
    return _json(without_descriptions(document()))


def reference() -> str:
    """Make docs/reference.md."""
    from cli.reference import reference as text  # noqa: PLC0415

    return text()


def joining() -> str:
    """Make functions/counting/joining.py."""
    from cli.joining import joining as text  # noqa: PLC0415

    return text()


def project() -> str:
    """Make Pulumi.yaml: its own first part, and the configuration keys as the components declare them."""
    head, separator, _ = read("Pulumi.yaml").partition("\nconfig:\n")
    return head + (separator or "\nconfig:\n") + "".join(_keys())


def without_descriptions(value: Any) -> Any:
    """Leave out of a schema what people read and no program relies on."""
    if isinstance(value, list):
        return [without_descriptions(item) for item in value]
    if isinstance(value, Mapping):
        # A property may be called description; its value is a declaration then.
        return {
            key: without_descriptions(item)
            for key, item in value.items()
            if key != "description" or not isinstance(item, str)
        }
    return value


def _keys() -> Iterator[str]:
    from components.config import config_default, config_fields, config_type  # noqa: PLC0415
    from components.settings import CAPACITIES  # noqa: PLC0415
    from components.validation import Number, config_key, default_of  # noqa: PLC0415

    described = _descriptions()
    for _, field in config_fields():
        kind, default, key = config_type(field), config_default(field), config_key(field.name)
        # The first sentence; the reference has the rest, defaults and limits included.
        text = described[key].partition(". ")[0].removesuffix(".") + "."
        if field.name in CAPACITIES:
            text += f" If it is empty, {default_of(field)}."
        elif kind == "string" and isinstance(field.metadata["check"], Number):
            text += " It may have a fraction."
        yield f"  {key}:\n    type: {kind}\n"
        if kind == "array":
            yield "    items:\n      type: string\n"
        yield f"    description: {_json_line(text)}\n    default: {_scalar(default)}\n"


def _descriptions() -> dict[str, str]:
    """Return the description of every argument of the counter and of its groups, by its name."""
    made = document()
    inputs = made["resources"][f"{made['name']}:index:StreamTriggeredCounter"]["inputProperties"]
    described = {}
    for declared in inputs.values():
        token = declared.get("$ref", "").removeprefix("#/types/")
        for name, member in made["types"].get(token, {}).get("properties", {}).items():
            described[name] = member["description"]
    return described | {name: declared["description"] for name, declared in inputs.items()}


def _scalar(value: Any) -> str:
    import yaml  # noqa: PLC0415 - `--help` does without

    return value if isinstance(value, str) and yaml.safe_load(value) == value else _json_line(value)


def _json_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


GENERATED: dict[str, Callable[[], str]] = {
    "components/schema.json": schema,
    "docs/reference.md": reference,
    "Pulumi.yaml": project,
    "functions/counting/joining.py": joining,
}
"""Every generated file, by its path in the repository. `tests/package/layout.json` is not one: see test_layout.py."""
