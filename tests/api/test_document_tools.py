"""The OpenAPI document with other tools: parsers, validators, a linter and a client generator."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from functions.http import routes
from functions.http.features import Access, Features
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


DEPLOYMENTS = {
    "full": Features(),
    "guarded": GUARDED,
    "unlisted": Features(listing=False),
    "emoji": Features(allowed_tags=["caf\u00e9", "\U0001f986*"]),
}


@pytest.fixture(params=DEPLOYMENTS.values(), ids=list(DEPLOYMENTS))
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the text of the document that an API with certain features serves."""
    monkeypatch.setattr(routes, "FEATURES", request.param)
    routes.document.cache_clear()
    yield routes.document()
    routes.document.cache_clear()


def patterns(part: Any) -> Iterator[str]:
    """Yield every pattern in a document."""
    for name, value in part.items() if isinstance(part, dict) else enumerate(part):
        if name == "pattern" and isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            yield from patterns(value)


def test_document_is_the_same_in_yaml(served: str) -> None:
    assert yaml.safe_load(served) == json.loads(served)


def test_document_is_valid(served: str) -> None:
    validate(json.loads(served))


def test_every_route_with_a_tag_documents_404() -> None:
    for path, item in json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"].items():
        for method in {"get", "post"} & item.keys():
            assert ("404" in item[method]["responses"]) == ("{tag}" in path), path


TEXTS = [
    *("tech", "a b", "caf\u00e9", "\U0001f986", "\U0001f1eb\U0001f1f7", "\u06cc\u200c\u062e", "-", "green", "GREY"),
    *("", " ", "/", "a?", "50%", "\x00", "\u202e", "\u200b", "\ufffd", "\u2800", "abc", "#1d8102", "blacks"),
    *("8e03978e-40d5", "\ue000", "a\u2028", "HdOZUG5ld3M", "x_-", "12", "[a]", "a\\b"),
]
MATCH = """
const [patterns, texts] = JSON.parse(require("fs").readFileSync(0, "utf-8"));
const matches = (flags) => patterns.map((pattern) => texts.map((text) => new RegExp(pattern, flags).test(text)));
console.log(JSON.stringify(["", "u", "v"].map(matches)));
"""


def test_patterns_match_the_same_in_python_and_javascript() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("the patterns are not tried in JavaScript: install Node.js (20 or later)")
    found = sorted(set(patterns(json.loads(DOCUMENT.read_text(encoding="utf-8")))))
    assert len(found) > 5
    done = subprocess.run(
        [node, "-e", MATCH], input=json.dumps([found, TEXTS]), capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = [[re.search(pattern, text) is not None for text in TEXTS] for pattern in found]
    assert json.loads(done.stdout) == [expected] * 3
    assert all(any(row) and not all(row) for row in expected)


def test_redocly_finds_no_problems(redocly: Path, tmp_path: Path, served: str) -> None:
    file = tmp_path / "openapi.json"
    file.write_text(served, encoding="utf-8")
    done = subprocess.run(
        [str(redocly), "lint", str(file), "--extends", "recommended", "--format", "json"],
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
        assert (refused.status_code, refused.parsed.title) == (422, "Unprocessable Content")
        assert send("about.welcome").parsed.table.status == "ACTIVE"
        assert "Disallow: /tag/" in send("about.robots").parsed
