"""The file with the progress of a rebuild, so that a call that was stopped, even by `kill -9`, can be continued.

The file only saves time: without it, a rebuild starts over.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from .rebuild import Progress

MAX_SECONDS = 24 * 3600.0
"""How old the progress may be to be continued: as long as a stream retains the marks' records."""

_SAVE_SECONDS = 1.0


class Checkpoint:
    """The progress of the rebuild of one table: of its first pass, which writes the marks."""

    def __init__(self, place: str, folder: Path | None = None) -> None:
        """`place` identifies the table. The folder is the user's, unless another is given."""
        name = sha256(place.encode()).hexdigest()[:16]
        self._path = (folder or _state_folder()) / f"reconcile-{name}.json"
        self._saved = time.monotonic()

    def load(self) -> Progress | None:
        """Return the progress of a call that was stopped; None if there is none that can be continued."""
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            fields: Mapping[str, Any] = {**stored["progress"], "malformed": tuple(stored["progress"]["malformed"])}
            age = time.time() - stored["savedAt"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        blank = asdict(Progress(""))
        is_valid = {name: type(value) for name, value in fields.items()} == {
            name: type(value) for name, value in blank.items()
        }
        return Progress(**fields) if is_valid and 0 <= age <= MAX_SECONDS else None

    def save(self, progress: Progress) -> None:
        """Keep the progress, at most once a second. If the folder cannot be written to, that only costs time later."""
        if not progress.after or progress.surplus or time.monotonic() - self._saved < _SAVE_SECONDS:
            return
        self._saved = time.monotonic()
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part = self._path.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps({"savedAt": time.time(), "progress": asdict(progress)}), encoding="utf-8")
            part.replace(self._path)

    def clear(self) -> None:
        """Forget the progress."""
        with suppress(OSError):
            self._path.unlink()


def _state_folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    # Without a home directory, expanding raises. Then nothing is kept.
    with suppress(RuntimeError):
        return Path(base).expanduser() / "stream-triggered-counter"
    return Path(os.devnull)
