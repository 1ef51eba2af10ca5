"""The door between the components and the functions: where the functions' sources are, and the names that both use.

The folder `functions` lies beside this package in a checkout, and within it in an installed distribution. Nothing else
in `components` knows that.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pulumi

PACKAGE = "functions"
"""The name that the code is imported under in Lambda, so that a handler is `functions.<module>.handler`."""

CARRIED = frozenset({".py", ".json", ".css", ".js", ".svg", ".html"})
"""The kinds of files that a function may need at run time. Compiled bytecode differs from machine to machine and would
redeploy for nothing (pulumi/pulumi#21008), so it stays out."""


def sources() -> Path:
    """Find the folder of the functions' sources."""
    here = Path(__file__).resolve().parent
    return next(folder for folder in (here / PACKAGE, here.parent / PACKAGE) if folder.is_dir())


# Hidden files and folders, those that editors and checkers write while someone types, and those of a merge.
_TEMPORARY = re.compile(r"^[.#~]|^flycheck_|_flymake\.|___jb_|_(BACKUP|BASE|LOCAL|REMOTE)_\d+\.|~$|^__pycache__$")


def is_temporary(name: str) -> bool:
    """Tell whether a file or folder is hidden, or is temporary and none of the sources."""
    return bool(_TEMPORARY.search(name))


def carried_files(folder: Path) -> list[Path]:
    """List the files of a folder, and of the folders below it, that go into the archive, sorted by path.

    Modules that no code can import and temporary files stay out, as do hidden folders: tools keep JSON in them.
    """
    below = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.suffix in CARRIED)
    carried = (
        path
        for path in below
        if not any(map(is_temporary, path.parts)) and (path.suffix != ".py" or path.stem.isidentifier())
    )
    return [folder / path for path in sorted(carried, key=Path.as_posix)]


def function_archive() -> pulumi.AssetArchive:
    """Make the code archive: the same bytes from the same sources, on every machine.

    It reads from absolute paths, since a program may run in any working directory.
    """
    folder = sources()
    names = {path: f"{PACKAGE}/{path.relative_to(folder).as_posix()}" for path in carried_files(folder)}
    return pulumi.AssetArchive({name: pulumi.FileAsset(str(path)) for path, name in names.items()})


@dataclass(frozen=True)
class Route:
    """A route of an HTTP API: its key as API Gateway writes it (`GET /tag/{tag}`), and the function that answers it.

    `group` is the group of routes that it is authorized and throttled with; "" for one that is open to all.
    """

    key: str
    function: str
    group: str = ""


def document() -> dict[str, Any]:
    """Read the OpenAPI document of an API with all features."""
    read: dict[str, Any] = json.loads((sources() / "http" / "openapi.json").read_text(encoding="utf-8"))
    return read


def routes(described: Mapping[str, Any]) -> list[Route]:
    """List the routes of an OpenAPI document, in its order, and last the one for all other requests."""
    listed = [
        Route(f"{method.upper()} {template}", operation["x-function"], operation.get("x-group", ""))
        for template, method, operation in _features.operations(described)
    ]
    return [*listed, Route("$default", "welcome")]


def module_name(function: str) -> str:
    """Return the module of a function, whose name the OpenAPI document and the outputs write in camel case."""
    return re.sub(r"(?=[A-Z])", "_", function).lower()


def handler(function: str) -> str:
    """Return the handler that Lambda calls for a function: `recordVisit` has `functions.record_visit.handler`."""
    return f"{PACKAGE}.{module_name(function)}.handler"


def _load(*path: str) -> ModuleType:
    # By its path, not by its name: a program may have a package `functions` of its own.
    source = sources().joinpath(*path).with_suffix(".py")
    loader = SourceFileLoader(f"{__name__}.{source.stem}", str(source))
    module = module_from_spec(ModuleSpec(loader.name, loader))
    loader.exec_module(module)
    return module


_tables = _load("dynamodb", "tables")
_features = _load("http", "features")

PARTITION_KEY: str = _tables.KEY
"""The partition key of every table."""
TOTAL_KEY: str = _tables.COUNTER
"""The partition key of the item that holds the total."""
ORIGIN_KEY: str = _tables.ORIGIN
"""The partition key of the item that records that a table's total was started."""
SEPARATOR: str = _tables.SEPARATOR
"""Stands between a name and an item's number in the keys of further items."""
MARK: str = _tables.MARK
"""The attribute that includes a tag's item in a generation of the total."""
EXPIRES_AT: str = _tables.EXPIRES_AT
"""The attribute that ends an idempotency key's life."""
TABLE_NAME: str = _tables.TABLE_NAME
IDEMPOTENCY_TABLE_NAME: str = _tables.IDEMPOTENCY_TABLE_NAME
"""The environment variables that hold the tables' names."""

ITEMS_PER_TAG: str = _tables.ITEMS_PER_TAG
"""The environment variable that holds the number of items that a tag is spread over."""
MAX_ITEMS: int = _tables.MAX_ITEMS
"""The maximum of that number."""

_metrics = _load("metrics")

METRICS_NAMESPACE: str = _metrics.METRICS_NAMESPACE
"""The environment variable that holds the namespace of the functions' own metrics."""
NAMESPACE: str = _metrics.NAMESPACE
"""That namespace."""
DIMENSION: str = _metrics.DIMENSION
VISITS: str = _metrics.VISITS
UNCOUNTED_RECORDS: str = _metrics.UNCOUNTED_RECORDS
GENERATIONS: str = _metrics.GENERATIONS
"""The dimension and the names of the metrics."""
API_FEATURES: str = _features.API_FEATURES
"""The environment variable that holds what differs from an API with all features."""
Access: Any = _features.Access
Features: Any = _features.Features
without_switched_off: Callable[[Mapping[str, Any], Any], dict[str, Any]] = _features.without_switched_off
"""The features of an API, and what is left of its document: see `functions/http/features.py`."""
