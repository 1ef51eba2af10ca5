"""Function archives: the files of a Pulumi asset or archive, and the zip that Lambda gets."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pulumi

_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16

Code = pulumi.Asset | pulumi.Archive


class ArchiveError(ValueError):
    """The code cannot be packed; the message names the path or the kind of asset."""


def read(code: Code, directory: Path) -> dict[str, bytes]:
    """Return the content of every file, by its path in the archive. Relative paths refer to `directory`.

    Raises ArchiveError if something cannot be read.
    """
    try:
        return {
            name: source if isinstance(source, bytes) else source.read_bytes()
            for name, source in _walk(code, directory, "")
        }
    except OSError as error:
        raise ArchiveError(f"{error.filename}: {error.strerror}") from None


def sources(code: Code, directory: Path) -> dict[str, Path]:
    """Return the files on disk that an archive is made of, by their paths in the archive, whether they exist or not."""
    return {name: source for name, source in _walk(code, directory, "") if isinstance(source, Path)}


def pack(content: Mapping[str, bytes]) -> bytes:
    """Return a zip of these files: the same bytes for the same content, whenever and wherever it is made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _READABLE
            archive.writestr(entry, content[name])
    return buffer.getvalue()


def _walk(code: Code, directory: Path, name: str) -> Iterator[tuple[str, Path | bytes]]:
    match code:
        case pulumi.StringAsset():
            yield name, code.text.encode()
        case pulumi.FileAsset():
            yield name, directory / code.path
        case pulumi.AssetArchive():
            for key, part in code.assets.items():
                yield from _walk(part, directory, f"{name}/{key}" if name else key)
        case pulumi.FileArchive():
            yield from _walk_file_archive(directory / code.path, name)
        case _:
            raise ArchiveError(f"a {type(code).__name__} would have to be downloaded; use files in the project")


def _walk_file_archive(path: Path, name: str) -> Iterator[tuple[str, Path | bytes]]:
    prefix = f"{name}/" if name else ""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file():
                yield f"{prefix}{file.relative_to(path).as_posix()}", file
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.is_dir():
                    yield f"{prefix}{entry.filename}", archive.read(entry)
    else:
        raise ArchiveError(f"{path} is neither a folder nor a zip file{'' if path.exists() else ': it does not exist'}")
