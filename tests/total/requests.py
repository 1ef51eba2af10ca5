"""Counting the requests that code makes."""

from collections.abc import Callable
from typing import Any


class Requests:
    """A store that keeps what was asked of it, and can be told to answer reads in another way, or to refuse them."""

    def __init__(self, store: Any) -> None:
        self.store, self.sent = store, list[tuple[str, dict[str, Any]]]()
        self.read: Callable[[dict[str, Any]], Any] | None = None

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.sent.append((name, request))
            if self.read and "get" in name:
                return self.read(request)
            return getattr(self.store, name)(**request)

        return call

    @property
    def names(self) -> list[str]:
        names, self.sent[:] = [name for name, _ in self.sent], []
        return names
