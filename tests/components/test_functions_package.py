"""The door between the components and the functions."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

from components import functions_package
from functions.dynamodb import tables

ROOT = Path(__file__).parents[2]


def test_the_names_are_those_of_the_functions() -> None:
    for name in ("EXPIRES_AT", "MARK", "SEPARATOR", "TABLE_NAME", "IDEMPOTENCY_TABLE_NAME"):
        assert getattr(functions_package, name) == getattr(tables, name)
    keys = (functions_package.PARTITION_KEY, functions_package.TOTAL_KEY, functions_package.ORIGIN_KEY)
    assert keys == (tables.KEY, tables.COUNTER, tables.ORIGIN)


def test_the_keys_are_written_once() -> None:
    written = [
        path.relative_to(ROOT).as_posix()
        for folder in ("components", "functions", "local", "cli")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in (tables.KEY, tables.COUNTER)
    ]
    assert written == ["functions/dynamodb/tables.py"] * 2


def test_temporary_files_are_not_deployed(tmp_path: Path) -> None:
    carried = ["counting/tags.py", "http/openapi.json", "pages/counter.css", "record_visit.py"]
    left_out = [
        ".hidden.py", ".#record_visit.py", "._record_visit.py", "#record_visit.py#", "record_visit.py~", "~record.json",
        ".env.json", ".cache/data.json", "http/.openapi.json", "record_visit.py.swp", "flycheck_record_visit.py",
        "record_visit_flymake.py", "record_visit.py___jb_tmp___", "record_visit_LOCAL_123.py", "record_visit.orig.py",
        "record_visit (copy).py", "record-visit.py", "__pycache__/data.json", "notes.txt", "4913",
    ]  # fmt: skip
    for name in (*carried, *left_out):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in functions_package.carried_files(tmp_path)]
    assert found == carried


def test_every_function_of_the_openapi_document_is_a_module_with_a_handler() -> None:
    for function in {route.function for route in functions_package.routes(functions_package.document())} | {
        "processStream"
    }:
        module, _, name = functions_package.handler(function).rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))


def test_a_program_may_have_a_package_functions_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "__init__.py").write_text("OURS = False\n")
    script = (
        f"import sys; sys.path.append({str(ROOT)!r})\n"
        "import functions\n"
        "from components.functions_package import TOTAL_KEY, function_archive\n"
        "assert functions.OURS is False\n"
        "print(TOTAL_KEY, 'functions/process_stream.py' in function_archive().assets)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["COUNTER", "True"]


def test_no_other_module_of_the_components_knows_the_functions_folder() -> None:
    for path in (ROOT / "components").rglob("*.py"):
        if path.name != "functions_package.py":
            text = path.read_text(encoding="utf-8")
            assert "import functions\n" not in text, path
            assert "from functions" not in text, path
            assert '"functions/' not in text, path
