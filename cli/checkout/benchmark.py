"""`./counter benchmark`: compares this project with what people would use instead."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_ROOT = Path(__file__).resolve().parents[2]


@click.command("benchmark")
@click.argument("chapters", nargs=-1, metavar="[CHAPTER]...")
@click.option("--quick", is_flag=True, help="Measure in two minutes; writes to build/benchmarks, not to RESULTS.md.")
@click.option("--report", is_flag=True, help="Measure nothing; write RESULTS.md and its plots from the raw data.")
@click.option("--list", "list_only", is_flag=True, help="List the chapters.")
def command(*, chapters: tuple[str, ...], quick: bool, report: bool, list_only: bool) -> int:
    """Measure this project beside its alternatives.

    Writes benchmarks/RESULTS.md with its plots, and the tables of docs/scaling.md.
    """
    from benchmarks import run  # noqa: PLC0415 - `--help` does without
    from benchmarks.chapters import NAMES, Options, load  # noqa: PLC0415

    if list_only:
        for name in NAMES:
            click.echo(f"{name}: {load(name).TITLE}")
        return 0
    unknown = [name for name in chapters if name not in NAMES]
    if unknown:
        raise click.UsageError(f"{unknown[0]!r} is not a chapter; allowed: {', '.join(NAMES)}")
    folder = _ROOT / "build" / "benchmarks" if quick else _ROOT / "benchmarks"
    if not report:
        run.measure([name for name in NAMES if name in chapters or not chapters], Options(quick=quick), folder)
    click.echo(f"{run.write(folder)} written", file=sys.stderr)
    if not quick:
        from benchmarks.scaling import filled  # noqa: PLC0415

        page = _ROOT / "docs" / "scaling.md"
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
        click.echo(f"{page} written", file=sys.stderr)
    return 0
