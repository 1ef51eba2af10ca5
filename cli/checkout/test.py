"""`./counter test`: the whole suite, or the part that pytest's arguments choose."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

# One process more than there are cores, since some tests wait for other programs. The tests of one file stay together,
# since many share what they set up; the files start in the order of tests/conftest.py.
_PARALLEL = ("--numprocesses", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder")
_ROOT = Path(__file__).resolve().parents[2]


class _Verbatim(click.Command):
    """Takes its arguments as they are, `--help` and `--` included."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.args = args
        return args


@click.command("test", cls=_Verbatim, options_metavar="[PYTEST ARGUMENTS]")
@click.pass_context
def command(context: click.Context) -> None:
    """Run the tests; takes pytest's arguments."""
    # pytest reports its progress itself; `-n 0` keeps it in one process.
    os.chdir(_ROOT)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *_PARALLEL, *context.args])  # noqa: S606
