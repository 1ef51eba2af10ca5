"""Reads the object literals of a TypeScript program: as much of the language as a component's arguments are made of."""

import ast
import re
from dataclasses import dataclass
from typing import Any

TOKEN = re.compile(
    r"""\s+|//[^\n]*|(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>\d[\d_.]*)"""
    r"""|(?P<name>[A-Za-z_$][\w$]*)|(?P<mark>=>|[^\w\s])"""
)
WORDS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Reference:
    """A property of another value, such as `hits.streamArn`."""

    of: str
    name: str


@dataclass(frozen=True)
class New:
    """A constructor's call: `new name(arguments)`."""

    name: str
    arguments: tuple[Any, ...]


def constructed(source: str) -> dict[str, New]:
    """Find every `const name = new Class(…)` of a program."""
    return {
        match["name"]: Reader(source[match.end() :]).new()
        for match in re.finditer(r"^const (?P<name>\w+) = new ", source, re.MULTILINE)
    }


class Reader:
    """Reads one expression from the start of a text. Raises ValueError for anything that it does not know."""

    def __init__(self, source: str) -> None:
        self._tokens = (match for match in TOKEN.finditer(source) if match.lastgroup)
        self._next: re.Match[str] | None = next(self._tokens, None)

    def new(self) -> New:
        """Read what follows the word `new`."""
        name = self._dotted(self._take("name"))
        self._expect("(")
        return New(name, tuple(self._items(")")))

    def value(self) -> Any:
        """Read a value."""
        kind, text = self._take()
        if kind == "string":
            return ast.literal_eval(text)
        if kind == "number":
            return float(text.replace("_", ""))
        if text in (beginnings := {"{": self._entries, "[": lambda: self._items("]"), "new": self.new}):
            return beginnings[text]()
        if text in WORDS:
            return WORDS[text]
        if kind == "name":
            of, _, name = self._dotted(text).rpartition(".")
            return Reference(of, name)
        raise ValueError(f"no value begins with {text!r}")

    def _entries(self) -> dict[str, Any]:
        entries = {}
        while not self._accept("}"):
            kind, text = self._take()
            key = ast.literal_eval(text) if kind == "string" else text
            self._expect(":")
            entries[key] = self.value()
            if not self._accept(","):
                self._expect("}")
                break
        return entries

    def _items(self, end: str) -> list[Any]:
        items = []
        while not self._accept(end):
            items.append(self.value())
            if not self._accept(","):
                self._expect(end)
                break
        return items

    def _dotted(self, name: Any) -> str:
        parts = [name if isinstance(name, str) else name[1]]
        while self._accept("."):
            parts.append(self._take("name")[1])
        return ".".join(parts)

    def _accept(self, mark: str) -> bool:
        if self._next is None or self._next.group() != mark:
            return False
        self._next = next(self._tokens, None)
        return True

    def _expect(self, mark: str) -> None:
        if not self._accept(mark):
            raise ValueError(f"{mark!r} was expected before {self._next and self._next.group()!r}")

    def _take(self, kind: str | None = None) -> tuple[str, str]:
        if self._next is None or (kind and self._next.lastgroup != kind):
            raise ValueError(f"{kind or 'a value'} was expected before {self._next and self._next.group()!r}")
        taken, self._next = self._next, next(self._tokens, None)
        return str(taken.lastgroup), taken.group()
