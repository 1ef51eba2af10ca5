"""Passes of a reconciliation as a command makes them: at a bounded rate, with the time that remains, resumable.

A pass that is stopped, even by `kill -9`, is continued by the next call: after every page of tags its progress is
complete, and it is kept in a file. The file only saves time. Without it, a pass starts over, which is as exact.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import aws
from .show import number, span

if TYPE_CHECKING:
    from .console import Console
    from .deployment import Deployment

MAX_CHECKPOINT_SECONDS = 24 * 3600.0
"""How old the progress of a pass may be to be continued: as long as a stream keeps the records from then on."""

FIRST_PAUSE_SECONDS = 1.0
"""The pause after a pass, in which the stream brings in the tags that it marked. It doubles with every pass, and the
batching window is added each time."""

PASS_SECONDS = 24 * 3600.0
"""The time for the retries of one pass."""

_SAVE_SECONDS = 1.0
_LINE_SECONDS = 10.0


class Pace:
    """Lets at most `rate` items be written in a second, evenly. Time that was not used is not made up for."""

    def __init__(
        self, rate: float, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._free = clock()

    def __call__(self, writes: int) -> None:
        """Wait until `writes` items may be written."""
        now = self._clock()
        if self._free > now:
            self._sleep(self._free - now)
        self._free = max(self._free, now) + writes / self._rate


class Checkpoint:
    """The file with the progress of a pass over one table and its ledger."""

    def __init__(self, deployment: Deployment, folder: Path | None = None) -> None:
        place = (deployment.endpoint_url or deployment.region or "", deployment.table, deployment.ledger)
        name = sha256("\n".join(place).encode()).hexdigest()[:16]
        self._path = (folder or _state_folder()) / f"reconcile-{name}.json"
        self._saved = time.monotonic()

    def load(self) -> aws.Progress | None:
        """Return the progress of a pass that was stopped, None if there is none that can be continued."""
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            fields: Mapping[str, Any] = stored["progress"]
            age = time.time() - stored["savedAt"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        blank = _fields(aws.Progress())
        if not 0 <= age <= MAX_CHECKPOINT_SECONDS or not isinstance(fields, dict) or fields.keys() != blank.keys():
            return None
        if any(type(value) is not type(blank[name]) for name, value in fields.items()):
            return None
        return aws.Progress(**fields)

    def save(self, progress: aws.Progress) -> None:
        """Keep the progress, at most once a second. A folder that cannot be written to costs only time later."""
        if not progress.after or time.monotonic() - self._saved < _SAVE_SECONDS:
            return
        self._saved = time.monotonic()
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part = self._path.with_suffix(f".{os.getpid()}.part")
            text = json.dumps({"savedAt": time.time(), "progress": _fields(progress)})
            part.write_text(text, encoding="utf-8")
            part.replace(self._path)

    def clear(self) -> None:
        """Forget the pass: it is complete, or is to start over."""
        with suppress(OSError):
            self._path.unlink()


class Result(NamedTuple):
    """What the last pass found, and how many there were."""

    passes: int
    progress: aws.Progress

    @property
    def sentence(self) -> str:
        """Say it for people."""
        found = self.progress
        if not found.behind:
            return f"Every visit of {number(found.tags, 'tag')} is in the total{_reservation(found.drift)}."
        verb, counts = ("is", "its count") if found.behind == 1 else ("are", "their counts")
        return (
            f"{number(found.behind, 'tag')} {verb} not wholly in the total yet ({number(found.visits, 'visit')}). The "
            f"stream re-emits {counts}. If this stays so, see the dead-letter queue and the log of process_stream."
        )

    @property
    def data(self) -> dict[str, Any]:
        """Return it for programs."""
        names = ("entries", "tags", "behind", "visits", "drift")
        values = {name: getattr(self.progress, name) for name in names}
        return {"exact": not self.progress.behind, "passes": self.passes, **values}


def run(
    reconciliation: aws.Reconciliation,
    checkpoint: Checkpoint,
    console: Console,
    *,
    passes: int,
    batching_window: int,
) -> Result:
    """Make passes until one finds nothing missing, at most `passes`; continue the one that was stopped, if any."""
    start, progress = checkpoint.load(), aws.Progress()
    if start:
        console.line(f"Continuing the pass that was stopped after {number(start.tags, 'tag')}.")
    for index in range(1, passes + 1):
        meter = _Meter(console, f"pass {index}")
        for progress in reconciliation.run(aws.retry_budget(PASS_SECONDS), start):
            checkpoint.save(progress)
            meter.show(progress)
        meter.end(progress)
        checkpoint.clear()
        start = None
        if not progress.behind or index == passes:
            break
        time.sleep(batching_window + FIRST_PAUSE_SECONDS * 2 ** (index - 1))
    return Result(index, progress)


def remaining(done: int, total: int, seconds: float) -> float | None:
    """Return the seconds for the rest of `total` if `done` took `seconds`; None if that cannot be said. Pure."""
    return seconds * (total - done) / done if 0 < done <= total else None


class _Meter:
    """Shows the progress of one pass: on a terminal at once, elsewhere a line now and then."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._started = self._shown = time.monotonic()
        self._first: int | None = None

    def show(self, progress: aws.Progress) -> None:
        now = time.monotonic()
        # A ledger has about as many entries as the table has tags.
        done, total = progress.entries + progress.tags, 2 * progress.expected
        self._first = done if self._first is None else self._first
        left = remaining(done - self._first, total - self._first, now - self._started)
        rest = f"about {span(left)} left" if left is not None and now - self._started > 1 else ""
        if self._console.is_terminal:
            self._console.progress(self._text(progress), detail=rest, done=done, total=total)
        elif now - self._shown >= _LINE_SECONDS:
            self._shown = now
            self._console.line(self._text(progress) + (f", {rest}" if rest else ""))

    def end(self, progress: aws.Progress) -> None:
        self._console.end_progress()
        self._console.line(self._text(progress))

    def _text(self, progress: aws.Progress) -> str:
        seen = f"{number(progress.entries, 'ledger entry', 'ledger entries')}, {number(progress.tags, 'tag')}"
        missing = f"{number(progress.visits, 'visit')} of {number(progress.behind, 'tag')} missing"
        return f"{self._name}: {seen}, {missing}"


def _fields(progress: aws.Progress) -> dict[str, Any]:
    return {name: getattr(progress, name) for name in aws.Progress.__annotations__}


def _reservation(drift: int) -> str:
    if not drift:
        return ", and the total is the sum of the ledger"
    return f"; as it was rising, it was compared with the sum of the ledger only to within {drift:,} visits"


def _state_folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    # Without a home, expanding raises; the folder of the current process is as good as none.
    with suppress(RuntimeError):
        return Path(base).expanduser() / "stream-triggered-counter"
    return Path(os.devnull)
