"""`StreamTriggeredCounter`, a Pulumi component that counts visits per tag and keeps an exact total.

What `public` has is imported when a program first asks for it. The command line and the local cloud use other modules
of the package, and importing pulumi_aws would be most of their start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import VERSION

__version__ = VERSION

if TYPE_CHECKING:
    from .args import *  # noqa: F403
    from .public import *  # noqa: F403
    from .public import __all__ as __all__
else:
    # Hidden from type checkers, which would take every name for an attribute.

    def __getattr__(name: str) -> Any:
        # Everything that is offered is a class. Modules of the package, and names like __path__, are asked for as well.
        if name == "__all__" or name[:1].isupper():
            public = import_module(".public", __name__)
            if name == "__all__" or name in public.__all__:
                return getattr(public, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__getattr__("__all__")})
