"""The local cloud as a command: start, print the outputs, report events, stop."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Mapping
from types import FrameType
from typing import Any, NoReturn

from rich.text import Text

from cli.console import Console
from components.engine.answers import UnknownInvokeError
from components.engine.stack_config import StackConfigError

from .archive import ArchiveError
from .cloud import ApiError, LocalCloud, Options
from .emulator.process import EmulatorError, PortInUseError
from .environment import ACCESS_KEY
from .errors import ResourceError
from .follow import Follower
from .program import ProgramError
from .replay import replay
from .watch import Watcher

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_SECONDS = 0.2


class Stopped(BaseException):
    """A signal arrived. Not an Exception, so that no handler of errors catches it."""


def run(options: Options, *, as_json: bool, watch: bool) -> int:
    """Serve until a signal. Returns the exit status: 0 after a signal, 1 for a failure, 2 for wrong usage."""
    started = time.monotonic()
    console, output = (Console(stream, on_error=_terminate) for stream in (sys.stderr, sys.stdout))
    cloud: LocalCloud | None = None
    try:
        for number in _SIGNALS:
            # nohup has a process ignore SIGHUP.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _stop)
        console.progress("Starting the local cloud")
        cloud = LocalCloud(options, console)
        outputs = cloud.start()
        if as_json:
            output.json(dict(sorted(outputs.items())))
        else:
            console.line(f"Ready in {time.monotonic() - started:.1f} s\n")
            print_outputs(output, outputs)
        _serve(cloud, console if as_json else output, watch=watch)
    except Stopped:
        if output.error:
            return _fail(console, f"cannot write to standard output: {output.error.strerror}", 1)
        return 1 if console.error else 0
    except (StackConfigError, PortInUseError) as error:
        return _fail(console, error, 2)
    except (ApiError, ArchiveError, EmulatorError, ProgramError, ResourceError, UnknownInvokeError) as error:
        return _fail(console, error, 1)
    finally:
        _ignore_signals()
        console.end_progress()
        if cloud:
            cloud.stop()


def print_outputs(console: Console, outputs: Mapping[str, Any]) -> None:
    """Print the outputs for people, and commands to try."""
    width = max(len(name) for name in outputs)
    for name, value in sorted(outputs.items()):
        text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
        console.line(f"  {name:<{width}}  {text}")
    console.line()
    if api := outputs.get("apiEndpoint"):
        console.line(Text("Try it:", "bold"))
        console.line(f"  curl -X POST {api}/tag/tech\n  curl {api}/counts/tech\n  {api}/ in a browser\n")
    console.line(Text(f"AWS clients work with endpointUrl and {ACCESS_KEY!r} as both keys. Ctrl-C stops it.\n", "dim"))


def _serve(cloud: LocalCloud, console: Console, *, watch: bool) -> NoReturn:
    cloud.listen(Follower(console, cloud.site, cloud.failures).show)
    watcher = _watch(cloud, console) if watch else None
    while True:
        time.sleep(_POLL_SECONDS)
        cloud.check()
        if watcher:
            watcher.poll()


def _watch(cloud: LocalCloud, console: Console) -> Watcher:
    watcher = Watcher(cloud.site, console, cloud.functions, lambda: replay(cloud))
    for folder in watcher.folders:
        console.line(f"Watching {folder}")
    return watcher


def _fail(console: Console, error: Exception | str, status: int) -> int:
    console.end_progress()
    console.line(f"counter: {error}")
    return status


def _stop(_number: int, _frame: FrameType | None) -> None:
    # A second Ctrl-C must not interrupt the shutdown.
    _ignore_signals()
    raise Stopped


def _terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
