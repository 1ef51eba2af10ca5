"""`./counter local`: the stack on an emulated cloud on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SUMMARY = "run the stack on an emulated cloud on this machine, until Ctrl-C"
_ROOT = Path(__file__).resolve().parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--stack", default="dev", help="the stack whose Pulumi.<stack>.yaml is used (default: dev)")
    parser.add_argument(
        "--program", type=Path, default=_ROOT, metavar="DIR", help="a Pulumi project's folder (default: this project)"
    )
    parser.add_argument(
        "--python", default=sys.executable, help="the Python that runs the program (default: this project's own)"
    )
    parser.add_argument(
        "--port",
        type=_port,
        metavar="N",
        help="the port; 0 takes any free one (default: 4566, or any if that is taken)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the outputs as one line of JSON, and all else to standard error"
    )
    parser.add_argument("--watch", action="store_true", help="redeploy functions when their sources are saved")


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal and return the exit status."""
    # These take a while to import, and `--help` does without.
    from local.cloud import Options  # noqa: PLC0415
    from local.run import run as run_local  # noqa: PLC0415

    options = Options(arguments.program, arguments.stack, arguments.python, arguments.port)
    return run_local(options, as_json=arguments.json, watch=arguments.watch)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; allowed are 0 to 65535")
    return int(text)
