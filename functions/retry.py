"""Trying again while there is time: full jitter, so that those who collided do not collide again."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

BASE = 0.02
"""Seconds the first pause may last at most; each further one may last twice as long."""

LONGEST = 1.0
"""Seconds any pause may last at most."""

MARGIN = 0.5
"""Seconds kept back for ending the invocation in order."""


@dataclass(frozen=True)
class Patience:
    """How long an operation may go on trying. `remaining` gives the seconds left; the rest is for tests to hand in."""

    remaining: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def pause(self, attempt: int) -> bool:
        """Wait before the next try, `attempt` being the number of those made; False where no time is left for one."""
        delay = self.jitter() * min(LONGEST, BASE * 2 ** min(attempt - 1, 16))
        if self.remaining() < delay + MARGIN:
            return False
        self.sleep(delay)
        return True


def patience(seconds: float) -> Patience:
    """Return the patience that ends `seconds` from now."""
    end = time.monotonic() + seconds
    return Patience(lambda: end - time.monotonic())
