"""Runs one Pulumi program, in the Python that starts this file, against an engine on this machine.

It imports nothing of this project and only Pulumi's SDK, so it runs in any project's own environment. The program to
run is described in JSON on standard input; see `program.py`.
"""

import sys

if __name__ == "__main__":
    sys.path.pop(0)  # Python's entry for this folder, whose modules are not the program's.

import asyncio
import json
import logging
import os
import runpy
import traceback

NO_PULUMI = 3


def main() -> int:
    """Run the program and return the exit status of the process."""
    # Not as text: PYTHONIOENCODING is for what the program prints.
    text = sys.stdin.buffer.read()
    if not text:
        # The parent ended, for example on Ctrl-C, before it sent the program to run.
        return 1
    order = json.loads(text)
    # The program finds an end of input, not the pipe that this was read from.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        import pulumi  # noqa: PLC0415
        from pulumi.runtime import Settings, configure, set_all_config  # noqa: PLC0415
        from pulumi.runtime.stack import run_in_stack  # noqa: PLC0415
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return NO_PULUMI
    set_all_config(order["config"])
    configure(
        Settings(
            project=order["project"],
            stack=order["stack"],
            monitor=order["engine"],
            engine=order["engine"],
            dry_run=order["preview"],
            organization=order["organization"],
            root_directory=order["root"],
        )
    )
    # As the CLI does: one failure fails every Output that waits for it, and asyncio would print a page about each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        asyncio.run(run_in_stack(lambda: _run(order["main"])))
    except pulumi.RunError as error:
        pulumi.log.error(_encodable(str(error)))
        return 1
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1
    except BaseException as error:  # noqa: BLE001 - the program's own, whatever it is
        pulumi.log.error(_encodable("".join(_format(error))))
        return 1
    return 0


async def _run(path: str) -> None:
    if os.path.isfile(path):  # noqa: PTH113
        sys.path.insert(0, os.path.dirname(path))  # noqa: PTH120
    runpy.run_path(path, run_name="__main__")
    # The SDK watches all Outputs for each one that completes, so its time grows with the square of their number.
    from pulumi.runtime.settings import SETTINGS  # noqa: PLC0415

    while pending := [output for output in getattr(SETTINGS, "outputs", ()) if not output.done()]:
        await asyncio.wait(pending)


def _format(error: BaseException) -> list[str]:
    """Format the traceback from the program's first line on: the frames above are not its author's."""
    frames = traceback.extract_tb(error.__traceback__)
    inner = next((i for i, frame in enumerate(frames) if frame.filename == "<frozen runpy>"), None)
    shown = [frame for frame in frames[inner or 0 :] if frame.filename != "<frozen runpy>"]
    return [
        "Traceback (most recent call last):\n",
        *traceback.format_list(shown),
        *traceback.format_exception_only(type(error), error),
    ]


def _encodable(text: str) -> str:
    """Escape what gRPC cannot encode, such as the bytes of a path that is not UTF-8."""
    return text.encode(errors="backslashreplace").decode()


if __name__ == "__main__":
    sys.exit(main())
