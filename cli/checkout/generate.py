"""`./counter generate`: writes every generated file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click

from ..streams import say

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = "components/args.py"
"""The source of the schema and the reference. This process has imported it as it was at the start."""

RELEASED = "tests/plugin/released.json"
"""The schema of the last release, which later ones must stay compatible with."""

LAYOUT = "tests/package/layout.json"
"""The URNs of every release, which later ones must find again: a release adds its own and takes none away."""


@click.command("generate")
@click.option("--check", is_flag=True, help="Write nothing; name the files that are out of date.")
@click.option("--release", is_flag=True, help=f"Write {RELEASED} and {LAYOUT} as well, as a release does.")
def command(*, check: bool, release: bool) -> int:
    """Write every generated file that is out of date.

    With --check, the exit status is 1 if a file is out of date.
    """
    if not check and (text := expected(ARGUMENTS)) != read(ARGUMENTS):
        write(ARGUMENTS, text)
        return restart(release=release)
    wanted = [*GENERATED, *(RELEASE if release else [])]
    outdated = {name: text for name in wanted if (text := expected(name)) != read(name)}
    for name, text in outdated.items():
        if check:
            say(f"{name} is out of date; run ./counter generate{' --release' if name in RELEASE else ''}")
        else:
            write(name, text)
    if not outdated:
        say(f"{len(wanted)} generated files are up to date")
    return 1 if check and outdated else 0


def restart(*, release: bool) -> int:
    """Run the command again in a new process, which imports the arguments as they are now."""
    arguments = [sys.executable, str(ROOT / "cli"), "generate", *(["--release"] if release else [])]
    return subprocess.run(arguments, check=False).returncode  # noqa: S603


def write(name: str, text: str) -> None:
    """Write a generated file and report it."""
    (ROOT / name).write_text(text, encoding="utf-8")
    say(f"{name} written")


def expected(name: str) -> str:
    """Return the text that a generated file should have, by its path in the repository."""
    return (GENERATED | RELEASE)[name]()


def read(name: str) -> str:
    """Return the text that a generated file has; empty if it does not exist."""
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


@cache
def document() -> Mapping[str, Any]:
    """Return the components' schema, as the plugin serves it."""
    from components.plugin import CounterProvider  # noqa: PLC0415 - `--help` does without

    return CounterProvider().document


def arguments() -> str:
    """Make components/args.py, the arguments as the component host needs them."""
    from cli.checkout.arguments import arguments as text  # noqa: PLC0415

    return text()


def schema() -> str:
    """Make components/schema.json, which other languages' SDKs are generated from."""
    return _json(document())


def released() -> str:
    """Make the schema that later ones must stay compatible with."""
    return _json(without_descriptions(document()))


def layout() -> str:
    """Make the list of URNs: those of earlier releases, and those of the resources that there are now."""
    from components.testing import run as run_program  # noqa: PLC0415

    urns = [resource.urn for resource in run_program(every_component).resources]
    return _json(sorted({*json.loads(read(LAYOUT) or "[]"), *urns}))


def every_component() -> None:
    """Make one of everything that the components make; a Pulumi program."""
    from components import StreamConsumer, StreamTriggeredCounter  # noqa: PLC0415

    arn = "arn:aws:{}:eu-west-1:123456789012:{}".format
    counter = StreamTriggeredCounter("counter")
    counter.grant_count("importer")
    counter.grant_read("reader")
    StreamConsumer(
        "audit",
        {
            "stream_arn": arn("dynamodb", "table/Counts/stream/2026-01-01T00:00:00.000"),
            "function_arn": arn("lambda", "function:audit"),
            "function_role_name": "audit",
        },
    )


def reference() -> str:
    """Make docs/reference.md."""
    from cli.checkout.reference import reference as text  # noqa: PLC0415

    return text()


@cache
def joining() -> str:
    """Make functions/counting/joining.py, from the package `idna`."""
    from cli.checkout.joining import joining as text  # noqa: PLC0415

    return text()


def model() -> str:
    """Make functions/dynamodb/model.json."""
    from cli.checkout.model import model as text  # noqa: PLC0415

    return text()


def build() -> str:
    """Make functions/dynamodb/build.py."""
    from cli.checkout.model import build as text  # noqa: PLC0415

    return text()


def project() -> str:
    """Make Pulumi.yaml: its own first part, and the configuration keys as the settings declare them."""
    from cli.checkout.arguments import configuration  # noqa: PLC0415

    return read("Pulumi.yaml").partition("config:\n")[0] + configuration()


def without_descriptions(value: Any) -> Any:
    """Return a schema without its descriptions, which no program relies on."""
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


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


GENERATED: dict[str, Callable[[], str]] = {
    ARGUMENTS: arguments,
    "components/schema.json": schema,
    "docs/reference.md": reference,
    "Pulumi.yaml": project,
    "functions/counting/joining.py": joining,
    "functions/dynamodb/model.json": model,
    "functions/dynamodb/build.py": build,
}
"""Every generated file, by its path in the repository."""

RELEASE: dict[str, Callable[[], str]] = {RELEASED: released, LAYOUT: layout}
"""The files that only a release writes, with `--release`."""
