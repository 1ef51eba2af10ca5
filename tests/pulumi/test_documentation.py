"""The page on deploying shows what the CLI prints."""

from __future__ import annotations

import re

import yaml

from tests.running import ROOT
from tests.share import ci_only

from .conftest import Engine

PAGE = ROOT / "docs" / "deploying.md"
BLOCKS = re.findall(r"^```(text|yaml|console)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)

pytestmark = ci_only("a minute of previews")


def lines(kind: str) -> list[str]:
    return [line.rstrip() for language, block in BLOCKS if language == kind for line in block.splitlines()]


def test_every_line_shown_is_printed(engine: Engine) -> None:
    stack = engine.stack(name="prod", configured=False)
    for line in lines("console")[1:]:
        command = [part.strip("'\"").replace("$TOKEN", "hush") for part in line.removeprefix("$ pulumi ").split()]
        stack.run(*command).ok()
    [shown] = [yaml.safe_load(block) for language, block in BLOCKS if language == "yaml"]
    written = yaml.safe_load(stack.file.read_text(encoding="utf-8"))
    secret = "stream-triggered-counter:environment"
    assert written["config"][secret]["TOKEN"].keys() == shown["config"][secret].pop("TOKEN").keys()
    written["config"][secret] = {}
    assert written.keys() == shown.keys()
    assert written["config"] == shown["config"]

    printed = [stack.run("up", "--yes").ok(), stack.run("up", "--yes").ok()]
    table = engine.create_table("documented")
    for values in (
        {"batchSize": "many"},
        {"batchSize": 0},
        {"tableArn": table["TableArn"], "streamArn": table["LatestStreamArn"]},
    ):
        stack.configure(written["config"] | {f"{stack.project}:{key}": value for key, value in values.items()})
        printed.append(stack.preview())
    stack.configure(written["config"] | {f"{stack.project}:deletionProtection": True})
    stack.up().ok()
    printed.append(stack.run("destroy", "--yes"))
    found = {line.rstrip() for done in printed for line in done.text.splitlines()}
    assert len(lines("text")) > 10
    assert [line for line in lines("text") if line not in found] == []
