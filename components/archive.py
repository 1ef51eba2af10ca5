"""The code archive of the functions: the same bytes from the same sources, on every machine."""

from pathlib import Path

import pulumi

CARRIED = frozenset({".py", ".json", ".css", ".js", ".svg", ".html"})
"""What a function may need at run time. Compiled bytecode differs from machine to machine and would redeploy for
nothing (pulumi/pulumi#21008), so it stays out."""

PACKAGE = "functions"
"""The name that the code is imported under in Lambda, so that a handler is `functions.<module>.handler`."""


def sources() -> Path:
    """Find the function sources: within this package where it is installed, beside it in a checkout."""
    here = Path(__file__).resolve().parent
    return next(folder for folder in (here / PACKAGE, here.parent / PACKAGE) if folder.is_dir())


def carried_files(folder: Path) -> list[Path]:
    """List the files that go into the archive, sorted by name."""
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix in CARRIED)


def function_archive() -> pulumi.AssetArchive:
    """Make the archive. Its paths are absolute, since a program may run in any working directory."""
    return pulumi.AssetArchive(
        {f"{PACKAGE}/{path.name}": pulumi.FileAsset(str(path)) for path in carried_files(sources())}
    )
