"""The imports that the modules of `functions` may have."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.functions.requests_of_model import HANDLERS

FUNCTIONS = Path(__file__).parents[2] / "functions"

EDGES = {
    "counting/idempotency.py",
    "counting/visits.py",
    "dynamodb/client.py",
    "dynamodb/session.py",
    "http/dispatch.py",
    "total/total.py",
    *(f"{handler}.py" for handler in HANDLERS),
}
"""The modules that need an SDK, if only to classify its errors. All others, including new ones, are pure."""

PURE = sorted(path.relative_to(FUNCTIONS).as_posix() for path in FUNCTIONS.rglob("*.py"))
PURE = [name for name in PURE if name not in EDGES]


def modules_after_import(module: str) -> set[str]:
    script = f"import sys, {module}; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    return set(subprocess.run(command, cwd=FUNCTIONS.parent, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("name", PURE)
def test_pure_module_imports_no_sdk(name: str) -> None:
    module = f"functions.{name.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")
    found = modules_after_import(module)
    assert module in found
    assert not found & {"boto3", "botocore"}


def test_modules_that_need_an_sdk_exist() -> None:
    assert all((FUNCTIONS / name).is_file() for name in EDGES)


def test_module_names_are_unique() -> None:
    names = [path.name for path in FUNCTIONS.rglob("*.py") if path.name != "__init__.py"]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("handler", HANDLERS)
def test_function_imports_no_pages_or_other_functions(handler: str) -> None:
    loaded = modules_after_import(f"functions.{handler}")
    assert not loaded & {f"functions.{other}" for other in HANDLERS if other != handler}
    assert not any(name.startswith("functions.pages") for name in loaded)
