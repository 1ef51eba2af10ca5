"""Provokes the cause of the alarm `stream-unread` on the local cloud: a disabled event source mapping."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.e2e.test_visits import settled_total, total, visit
from tests.running import eventually

if TYPE_CHECKING:
    from tests.alarm_evaluation import Points
    from tests.causes import Observed
    from tests.watched import Watched

QUIET_SECONDS = 3.0
"""How long the stream stays unread; the mapping polls several times a second."""
TAG = "unread"


def unread(watched: Watched) -> Observed:
    """Disable the mapping and count visits; return the visits and the processor's invocations, before and after."""
    from tests.causes import Observed  # noqa: PLC0415 - that module lists this function

    calm = _after_visits(watched)
    settled_total(watched.cloud)
    _enable(watched, enabled=False)
    try:
        before = _counted(watched)
        for _ in range(3):
            visit(watched.cloud, TAG)
        time.sleep(QUIET_SECONDS)
        provoked = {name: count - before[name] for name, count in _counted(watched).items()}
    finally:
        _enable(watched, enabled=True)
    # The stream kept the visits.
    settled_total(watched.cloud)
    _after_visits(watched)
    return Observed(_points(calm), _points(provoked))


def _after_visits(watched: Watched) -> dict[str, int]:
    """Record visits until both functions have counted; return what they counted since."""
    before = _counted(watched)

    def gained() -> dict[str, int]:
        return {name: count - before[name] for name, count in _counted(watched).items()}

    def have_counted() -> bool:
        # What a function prints late, the emulator stores with its next invocation.
        visit(watched.cloud, TAG)
        time.sleep(0.3)
        return min(gained().values()) > 0

    eventually(have_counted, 20, "a visit, and an invocation of the stream processor")
    return gained()


def _points(counted: dict[str, int]) -> dict[str, Points]:
    """Return three periods in which each metric has the same sum; CloudWatch has no point for nothing."""
    return {name: [float(count) or None] * 3 for name, count in counted.items()}


def _enable(watched: Watched, *, enabled: bool) -> None:
    uuid = watched.outputs["eventSourceMappingId"]
    watched.functions.update_event_source_mapping(UUID=uuid, Enabled=enabled)
    state = "Enabled" if enabled else "Disabled"

    def has_state() -> bool:
        return bool(watched.functions.get_event_source_mapping(UUID=uuid)["State"] == state)

    eventually(has_state, 20, f"the state {state} of the mapping")


def _counted(watched: Watched) -> dict[str, int]:
    """Return the visits, and the total, which rises only with an invocation of the processor."""
    visits = sum(int(line["Visits"]) for line in watched.emitted("Visits", "recordVisit"))
    return {"Visits": visits, "Invocations": total(watched.cloud)}
