"""DynamoDB Local for the tests of this folder: one process for all tests, which use different table names."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dynamodb_local.engine import Engine, InstallError, MissingToolError, install
from tests.dynamodb_local.stack import Stack
from tests.functions.conftest import forget, forget_clients


def install_or_skip(cache: Path | None = None) -> Path:
    """Return the installed engine's folder. Skips the test, with the reason, if installation is impossible."""
    try:
        return install(cache)
    except MissingToolError as error:
        pytest.skip(str(error))
    except InstallError as error:
        # In CI, nobody notices skipped tests.
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[Engine]:
    engine = Engine(install_or_skip())
    yield engine
    engine.stop()


@pytest.fixture
def engine(shared_engine: Engine) -> Engine:
    """Return the running engine, restarted if earlier tests created many tables."""
    shared_engine.renew()
    return shared_engine


@pytest.fixture
def stack(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Return a stack with a new table, whose functions have just started."""
    for name, value in engine.environment.items():
        monkeypatch.setenv(name, value)
    stack = Stack(engine, monkeypatch, f"visits-{uuid.uuid4().hex[:8]}")
    engine.create_table(stack.table)
    forget_clients()
    yield stack.deploy()
    forget()
    forget_clients()
