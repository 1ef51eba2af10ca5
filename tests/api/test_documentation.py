"""The commands in docs/http-api.md print what the page shows, except for counts, times and names, which vary."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Final

import pytest

from functions.pages.static import version
from tests.running import ROOT, RunningCloud

PAGE: Final = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
CONSOLES: Final = "".join(re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
VARIES: Final = {
    "^VARY:": "Vary:",  # names of headers have no case; the local gateway adds a second `Vary` this way
    r'"asOf":("[^"]*"|null)': '"asOf":…',
    r'"createdAt":"[^"]*"': '"createdAt":…',
    r'"nextCursor":"[^"]*"': '"nextCursor":…',
    r'"tags":\[.*?\]': '"tags":…',
    r"counter-table-[0-9a-f]{7}": "counter-table",
    r"\?v=[0-9a-f]{12}": "?v=…",
    r'"(count|total|itemCount|sizeBytes)":\d+': r'"\1":…',
    r'="[\d ]+"': '="…"',
    r"readers: [\d.]+k?": "readers: …",
}


def constant_part(line: str) -> str:
    """Return a line without the parts that vary."""
    for pattern, constant in VARIES.items():
        line = re.sub(pattern, constant, line)
    return line


def commands() -> list[tuple[str, list[str]]]:
    """Return each command with the lines that it prints, without the omitted ones (`…`)."""
    found = []
    for part in re.split(r"^\$ ", CONSOLES, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        if command.startswith("curl "):
            found.append((command, [constant_part(line) for line in output.splitlines() if line != "…"]))
    return found


def matches(line: str, printed: str) -> bool:
    """Whether the printed line matches `line`, in which `…` between tags stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, line.split(">…<"))), printed) is not None


def test_every_command_prints_what_the_page_shows(cloud: RunningCloud) -> None:
    shell = shutil.which("bash")
    if shell is None or shutil.which("curl") is None:
        pytest.skip("curl or bash is not installed, so the documentation's commands are not run")
    assert len(commands()) > 30
    for command, lines in commands():
        script = command.replace("curl ", "curl -s ", 1).replace("082c31a0db58", version("icon.svg"))
        done = subprocess.run(
            [shell, "-c", f"api={cloud.outputs['apiEndpoint']}; {script}"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        printed = [constant_part(line) for line in done.stdout.replace("\r", "").splitlines()]
        rest = iter(printed)
        assert lines, f"{command} is shown without a response"
        for line in lines:
            assert any(matches(line, other) for other in rest), f"{command}\ndoes not print {line!r}:\n{done.stdout}"
