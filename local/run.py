"""The local cloud as a command: starts, prints, follows, and ends in order."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType
from typing import NoReturn

from components.engine.answers import UnknownInvokeError
from components.engine.stack_config import StackConfigError

from .archive import ArchiveError
from .cloud import ApiError, LocalCloud, Options
from .console import Console, print_json, print_outputs
from .emulator.process import EmulatorError, PortInUseError
from .errors import ResourceError
from .follow import Follower
from .program import ProgramError
from .replay import replay
from .watch import Watcher

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_SECONDS = 0.2


class Stopped(BaseException):
    """Ctrl-C or SIGTERM; not an Exception, so that nothing on the way takes it for an error."""


def run(options: Options, *, as_json: bool, watch: bool) -> int:
    """Serve until a signal. Returns the exit status: 0 after a signal, 1 for a failure, 2 for a wrong call."""
    console, output = Console(sys.stderr), Console(sys.stdout)
    cloud: LocalCloud | None = None
    try:
        for number in _SIGNALS:
            signal.signal(number, _stop)
        console.progress("Starting the local cloud")
        cloud = LocalCloud(options, console)
        _serve(cloud, console, output, as_json=as_json, watch=watch)
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


def _serve(cloud: LocalCloud, console: Console, output: Console, *, as_json: bool, watch: bool) -> NoReturn:
    outputs = cloud.start()
    shown = console if as_json else output
    if as_json:
        print_json(output, outputs)
    else:
        console.line(f"Ready in {console.seconds:.1f} s\n")
        print_outputs(shown, outputs)
    cloud.listen(Follower(shown, cloud.site, cloud.failures).show)
    watcher = _watch(cloud, shown) if watch else None
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
    # A second Ctrl-C must not interrupt what the first one ends.
    _ignore_signals()
    raise Stopped


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
