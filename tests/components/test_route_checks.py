"""A route of the OpenAPI document that the components cannot serve is refused in a sentence that says what to add."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

import components.stream_triggered_counter as module
from components.functions_package import document
from components.testing import run


def build(monkeypatch: pytest.MonkeyPatch, **operation: str) -> None:
    changed = document()
    changed["paths"]["/archive"] = {"get": {"operationId": "archive", **operation}}
    read: Any = lambda: changed  # noqa: E731
    monkeypatch.setattr(module, "document", read)
    run(lambda: module.StreamTriggeredCounter("counter"))


def test_a_function_without_permissions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        build(monkeypatch, **{"x-function": "archive"})
    assert str(caught.value) == (
        "openapi.json: GET /archive: x-function is 'archive'; allowed: welcome, recordVisit, viewCounts; give a new "
        "function its permissions in `rights`, in components/stream_triggered_counter.py, and a handler in functions/"
    )


def test_a_group_without_authorization_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pulumi.RunError, match=r"GET /archive: x-group is 'write'; allowed: record, read;"):
        build(monkeypatch, **{"x-function": "viewCounts", "x-group": "write"})


def test_a_known_function_and_group_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    build(monkeypatch, **{"x-function": "viewCounts", "x-group": "read"})
