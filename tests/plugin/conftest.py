"""One running plugin for all tests: it takes two seconds to start, and keeps nothing from one component to the next."""

from collections.abc import Iterator

import pytest

from .engine import Plugin, start


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """Start the plugin in some other project's folder."""
    with start(cwd=tmp_path_factory.mktemp("project")) as running:
        yield running
