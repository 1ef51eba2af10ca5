"""The running plugin, which constructs what the examples ask for."""

from tests.plugin.conftest import plugin

__all__ = ["plugin"]
