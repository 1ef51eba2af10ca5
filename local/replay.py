"""Running a program again without creating anything, to find out which code it would upload now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.engine.answers import Computed
from components.engine.monitor import RecordingMonitor
from components.engine.resource import Resource
from components.engine.server import RecordingEngine

from .cloud import LocalCloud, functions_of
from .errors import ResourceError


class ReplayMonitor(RecordingMonitor):
    """Answers each registration with the resource of the first run; creates nothing."""

    def __init__(self, first: RecordingMonitor) -> None:
        super().__init__(project=first.project, stack=first.stack, place=first.place)
        self._first = first
        self._made: Mapping[str, Resource] = {one.urn: one for one in first.resources}

    def create(self, resource: Resource) -> Computed:
        """Return the first run's resource. Raises ResourceError if there is none."""
        made = self._made.get(resource.urn)
        if made is None:
            raise ResourceError(resource, "is new in the program; restart the local cloud to create it")
        return made.id, {name: value for name, value in made.state.items() if name not in resource.inputs}

    def invoke(self, token: str, arguments: Mapping[str, Any], provider: str = "") -> Mapping[str, Any]:
        """Return the result of the first run."""
        answers = (one.result for one in self._first.invokes if (one.token, one.arguments) == (token, arguments))
        return next(answers, None) or super().invoke(token, arguments, provider)


def replay(cloud: LocalCloud) -> list[Resource]:
    """Run the cloud's program again and return its functions, with the archives that it packs now."""
    monitor = ReplayMonitor(cloud.monitor)
    cloud.prepare_run().run(monitor, RecordingEngine())
    return functions_of(monitor)
