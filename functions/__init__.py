"""The four Lambda functions of a stream-triggered counter, and the packages that they share."""

import gc
import os

if os.environ.get("_HANDLER", "").startswith(f"{__name__}."):
    # Lambda is starting one of these functions. Nothing that is made meanwhile becomes garbage, so looking for some
    # would be in vain. `create_in_init_phase`, the last step, switches collection on again.
    gc.disable()
