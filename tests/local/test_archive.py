"""Function archives."""

import io
import os
import zipfile
from pathlib import Path

import pulumi
import pytest

from local.archive import ArchiveError, pack, read, sources


def test_every_kind_of_asset_is_read(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "folder" / "inner" / "b.py").write_bytes(b"b")
    (tmp_path / "a.py").write_bytes(b"a")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("c.py", "c")
        archive.mkdir("empty")
    code = pulumi.AssetArchive(
        {
            "text.py": pulumi.StringAsset("t"),
            "pkg/a.py": pulumi.FileAsset("a.py"),
            "sub": pulumi.FileArchive("folder"),
            "zip": pulumi.FileArchive(str(tmp_path / "z.zip")),
            "nested": pulumi.AssetArchive({"d.py": pulumi.StringAsset("d")}),
        }
    )
    assert read(code, tmp_path) == {
        "text.py": b"t",
        "pkg/a.py": b"a",
        "sub/inner/b.py": b"b",
        "zip/c.py": b"c",
        "nested/d.py": b"d",
    }
    assert sources(code, tmp_path) == {
        "pkg/a.py": tmp_path / "a.py",
        "sub/inner/b.py": tmp_path / "folder" / "inner" / "b.py",
    }


def test_the_same_content_gives_the_same_bytes_whenever_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"a")
    code = pulumi.AssetArchive({"a.py": pulumi.FileAsset(str(file))})
    first = pack(read(code, tmp_path))
    os.utime(file, (1, 1))
    file.chmod(0o600)
    assert pack(read(code, tmp_path)) == first
    assert pack({"b": b"", "a": b"x"}) == pack({"a": b"x", "b": b""})


def test_files_in_the_zip_can_be_read_by_everyone() -> None:
    entry = zipfile.ZipFile(io.BytesIO(pack({"a.py": b"a"}))).infolist()[0]
    assert entry.external_attr >> 16 == 0o100644


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (pulumi.AssetArchive({"a.py": pulumi.FileAsset("gone.py")}), r"gone\.py: No such file"),
        (pulumi.FileArchive("gone"), r"gone is neither a folder nor a zip file: it does not exist"),
        (pulumi.RemoteArchive("https://example.com/a.zip"), r"a RemoteArchive would have to be downloaded"),
        (pulumi.AssetArchive({"a": pulumi.RemoteAsset("https://example.com/a")}), r"a RemoteAsset would have to be"),
    ],
)
def test_what_cannot_be_packed_is_refused(tmp_path: Path, code: pulumi.Archive, message: str) -> None:
    with pytest.raises(ArchiveError, match=message):
        read(code, tmp_path)


def test_a_file_that_is_not_a_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("text", encoding="utf-8")
    with pytest.raises(ArchiveError, match=r"a\.zip is neither a folder nor a zip file$"):
        read(pulumi.FileArchive("a.zip"), tmp_path)
