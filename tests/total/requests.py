"""Counting the requests that code makes."""

from typing import Any

from tests.doubles import client_error


class Requests:
    """A store that keeps what was asked of it, and can be told to fail reads with an error code."""

    def __init__(self, store: Any) -> None:
        self.store, self.sent, self.refused = store, list[tuple[str, dict[str, Any]]](), ""

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.sent.append((name, request))
            if self.refused and "get" in name:
                raise client_error(self.refused, name)
            return getattr(self.store, name)(**request)

        return call

    @property
    def names(self) -> list[str]:
        names, self.sent[:] = [name for name, _ in self.sent], []
        return names
