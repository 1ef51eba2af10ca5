"""`./counter local`: the stack on an emulated cloud on this machine, until Ctrl-C."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..options import Program, WholeNumber

_ROOT = Path(__file__).resolve().parents[2]


@click.command("local")
@click.option("--stack", default="dev", show_default=True, metavar="NAME", help="Use Pulumi.<NAME>.yaml.")
@click.option(
    "--program",
    type=click.Path(path_type=Path),
    default=_ROOT,
    metavar="DIR",
    help="The folder of a Pulumi project. Default: this project.",
)
@click.option(
    "--python",
    type=Program(),
    default=sys.executable,
    metavar="PYTHON",
    help="The Python that runs the program. Default: this one.",
)
@click.option(
    "--port",
    type=WholeNumber("a valid port", 0, 65_535),
    metavar="N",
    help="The port; 0 takes any free one. Default: 4566, or any free one if that is in use.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outputs as one line of JSON, all else to stderr.")
@click.option("--watch", is_flag=True, help="Redeploy functions when their sources are saved.")
def command(*, stack: str, program: Path, python: str, port: int | None, as_json: bool, watch: bool) -> int:
    """Run the stack on this machine, until Ctrl-C."""
    # These take a while to import, and `--help` does without.
    from local.cloud import Options  # noqa: PLC0415
    from local.run import run  # noqa: PLC0415

    return run(Options(program, stack, python, port), as_json=as_json, watch=watch)
