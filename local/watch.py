"""Redeploying functions when their sources are saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from rich.text import Text

from cli.console import Console
from components.engine.resource import Resource
from components.functions_package import is_temporary

from . import archive
from .site import Site

_Stamp = tuple[int, int]


@dataclass(frozen=True)
class Snapshot:
    """The state of the sources: a stamp of each file of each function, and the files beside them and a level below."""

    files: Mapping[Path, _Stamp]
    folders: Mapping[Path, frozenset[Path]]


class Watcher:
    """Redeploys functions whose files changed; call `poll` several times a second.

    If a file is added or removed, `refresh` runs the program again and returns the functions with their new archives.
    """

    def __init__(
        self, site: Site, console: Console, functions: list[Resource], refresh: Callable[[], list[Resource]]
    ) -> None:
        self._site = site
        self._console = console
        self._functions = functions
        self._refresh = refresh
        self._packed = {function.id: self._pack(function) for function in functions}
        self._seen = self._look()

    @property
    def folders(self) -> list[Path]:
        """The folders that are watched."""
        return sorted(self._seen.folders)

    def poll(self) -> None:
        """Check the sources once and redeploy the functions that changed. Errors are reported, not raised."""
        now = self._look()
        if now == self._seen:
            return
        changed = {path for path, stamp in now.files.items() if self._seen.files.get(path) != stamp}
        added_or_removed = now.folders != self._seen.folders
        self._seen = now
        errors = [error for path in sorted(changed) if (error := check_syntax(path))]
        if errors:
            for error in errors:
                self._report(error, "red")
            self._report("not redeployed; the functions keep their present code", "red")
            return
        try:
            if added_or_removed:
                self._functions = self._refresh()
                self._seen = self._look()
            self._redeploy()
        except (BotoCoreError, ClientError, archive.ArchiveError) as error:
            self._report(f"not redeployed: {error}", "red")
        except Exception as error:  # noqa: BLE001 - the program may be half written
            self._report(f"the program failed and nothing was redeployed: {error}", "red")

    def _redeploy(self) -> None:
        started = time.monotonic()
        names = []
        for function in self._functions:
            code = self._pack(function)
            if code != self._packed.get(function.id):
                client = self._site.client_beside(function, "lambda")
                client.update_function_code(FunctionName=function.id, ZipFile=code)
                self._packed[function.id] = code
                names.append(function.name)
        if names:
            self._report(f"{', '.join(names)} in {time.monotonic() - started:.1f} s", "green")

    def _pack(self, function: Resource) -> bytes:
        return archive.pack(archive.read(function.inputs["code"], self._site.directory))

    def _look(self) -> Snapshot:
        files: dict[Path, _Stamp] = {}
        for function in self._functions:
            for path in archive.sources(function.inputs["code"], self._site.directory).values():
                files[path] = _stamp(path)
        # Editors write temporary files, so only files with the suffix of a source count.
        suffixes = {path.suffix for path in files}
        folders = {
            folder: frozenset(
                path
                for level in ("*", "*/*")
                for path in folder.glob(level)
                if path.suffix in suffixes and not is_temporary(path.name)
            )
            for folder in {path.parent for path in files}
            if folder.is_dir()
        }
        return Snapshot(files, folders)

    def _report(self, text: str, style: str) -> None:
        stamp = (time.strftime("%H:%M:%S"), "dim")
        self._console.line(Text.assemble(stamp, f"  {'reload':<7} ", (text, style)))


def check_syntax(path: Path) -> str | None:
    """Return the syntax error in a Python file, with file and line; None if there is none."""
    if path.suffix != ".py" or not path.exists():
        return None
    try:
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        return f"{path}{f':{line}' if line else ''}: {error.args[0]}"
    return None


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
