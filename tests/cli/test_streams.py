"""No output fails for its encoding, whatever the locale is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from cli import streams
from cli.console import Console
streams.prepare()
print("é😀")
streams.say("é😀")
Console(sys.stdout).line("é😀")
sys.stderr.write("é😀")
Console(sys.stdout).json([sys.argv[2], str(open(sys.argv[2]).name), sys.getfilesystemencoding()])
"""


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C.UTF-8"},
    ],
)
def test_every_text_is_printed_in_every_locale(tmp_path: Path, environment: dict[str, str]) -> None:
    path = tmp_path / "ü.txt"
    path.touch()
    dropped = ("PYTHON", "LC_", "LANG")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    (tmp_path / "print.py").write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "print.py"), str(ROOT), str(path)]
    done = subprocess.run(command, env={**clean, **environment}, capture_output=True, check=False, timeout=60)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    shown, opened, encoding = json.loads(lines[-1])
    assert (shown, opened, encoding) == (str(path), str(path), "utf-8")
