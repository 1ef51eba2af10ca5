"""DynamoDB Local for the tests of this folder: one process for all of them; each names its tables apart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dynamodb_local.engine import Engine, InstallError, MissingToolError, install


def install_or_skip(cache: Path | None = None) -> Path:
    """Return the installed engine's folder; skip the test, with what to install, if it cannot be installed here."""
    try:
        return install(cache)
    except MissingToolError as error:
        pytest.skip(str(error))
    except InstallError as error:
        # Nobody looks there at what was skipped.
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
    """Hand out the running engine, started anew if earlier tests made many tables."""
    shared_engine.renew()
    return shared_engine
