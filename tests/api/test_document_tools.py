"""The OpenAPI document with other tools: a linter and a client generator."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from functions.http.features import Access, Features, describe
from functions.http.routes import DOCUMENT
from tests.npm import installed
from tests.running import RunningCloud

REDOCLY = "@redocly/cli@2.77.0"


@pytest.fixture
def redocly() -> Path:
    """Return the path of Redocly's command."""
    return installed("redocly", REDOCLY) / "node_modules" / ".bin" / "redocly"


GUARDED = Features(
    count_by_get=False,
    listing=False,
    allowed_tags=["news"],
    record=Access("JWT", ["write"]),
    read=Access("AWS_IAM"),
    issuer="https://id.example.org",
)


@pytest.mark.parametrize(
    "features", [Features(), GUARDED, Features(listing=False)], ids=["full", "guarded", "unlisted"]
)
def test_redocly_finds_no_problems_with_its_recommended_rules(
    redocly: Path, tmp_path: Path, features: Features
) -> None:
    served = tmp_path / "openapi.json"
    text = DOCUMENT.read_text(encoding="utf-8")
    served.write_text(json.dumps(describe(json.loads(text), features)) if features.changed() else text)
    done = subprocess.run(
        [str(redocly), "lint", str(served), "--extends", "recommended", "--format", "json"],
        cwd=tmp_path,
        env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    report = json.loads(done.stdout[done.stdout.index("{") :])
    found = [(problem["ruleId"], problem["message"], problem["location"]) for problem in report["problems"]]
    assert (found, done.returncode) == ([], 0)


def test_generated_client_works_with_every_operation(
    cloud: RunningCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"post_hooks": []}), encoding="utf-8")
    name = f"client_{uuid.uuid4().hex}"
    command = Path(sys.executable).with_name("openapi-python-client")
    done = subprocess.run(
        [
            *(str(command), "generate", "--path", str(DOCUMENT), "--config", str(config)),
            *("--output-path", str(tmp_path / name), "--meta", "none"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(tmp_path))

    def operation(module: str) -> Any:
        return importlib.import_module(f"{name}.api.{module}")

    def send(module: str, *arguments: Any, **named: Any) -> Any:
        return operation(module).sync_detailed(*arguments, client=client, **named)

    tag, key = f"généré {uuid.uuid4().hex}", uuid.uuid4().hex
    with importlib.import_module(f"{name}.client").Client(base_url=cloud.outputs["apiEndpoint"]) as client:
        assert [send("visits.visit_tag", tag).parsed.count for _ in range(2)] == [1, 2]
        replies = [send("visits.post_tag", tag, idempotency_key=key) for _ in range(2)]
        assert [(reply.parsed.tag, reply.parsed.count) for reply in replies] == [(tag, 3), (tag, 3)]
        assert replies[1].headers["Idempotency-Replayed"] == "true"
        assert send("counts.view_counts", tag).parsed.count == 3
        total = send("counts.view_total").parsed
        assert total.total >= 0
        listed: dict[str, int] = {}
        page = send("counts.view_total", limit=100).parsed
        while True:
            listed |= {row.tag: row.count for row in page.tags}
            if page.next_cursor is None:
                break
            page = send("counts.view_total", cursor=page.next_cursor).parsed
        assert listed[tag] == 3
        problem = send("counts.view_counts", "COUNTER")
        assert problem.status_code == 400
        assert (problem.parsed.status, problem.parsed.field, problem.parsed.value) == (400, "tag", "COUNTER")
        refused = send("visits.post_tag", "another", idempotency_key=key)
        assert (refused.status_code, refused.parsed.title) == (422, "Unprocessable Entity")
        assert send("about.welcome").parsed.table.status == "ACTIVE"
        assert "Disallow: /tag/" in send("about.robots").parsed
