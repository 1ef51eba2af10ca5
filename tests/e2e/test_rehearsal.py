"""The runbook's rehearsal on the local cloud, with its own commands."""

import re
import shlex
from pathlib import Path

import pytest

from cli.main import main
from tests.e2e.conftest import Start
from tests.running import ROOT
from tests.share import ci_only

RUNBOOK = ROOT / "docs" / "operations.md"


def commands() -> list[list[str]]:
    """Return the arguments of `./counter` in the commands of the section."""
    section = RUNBOOK.read_text(encoding="utf-8").partition("## Rehearsing\n")[2].partition("\n## ")[0]
    return [shlex.split(line) for line in re.findall(r"^\$ \./counter (.+)$", section, re.MULTILINE)]


@ci_only("starts a local cloud")
def test_the_rehearsal_goes_as_described(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (local, *options), *others = commands()
    assert local == "local"
    cloud = start("--port", "0", *options)
    # Other local clouds may run on this machine.
    here = ("--endpoint-url", cloud.outputs["endpointUrl"])
    assert len(others) == 7
    for command in others:
        assert main([*command, *here]) == 0, (command, capsys.readouterr())
    assert "The total is exact." in capsys.readouterr().out
    assert cloud.end() == 0
