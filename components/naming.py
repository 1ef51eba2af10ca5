"""Logical names: what they may be, so that every automatic name made of them is one that AWS accepts."""

import re

from .validation import ArgumentError

LONGEST = 64
"""The most characters in the name of an IAM role, or of a Lambda function."""

SUFFIX = 8
"""The characters that automatic naming appends: a hyphen and seven hexadecimal digits."""


def check_name(name: str, longest_child: str = "") -> None:
    """Check a component's logical name, to which children add at most `longest_child`; raises `ArgumentError`."""
    most = LONGEST - SUFFIX - len(longest_child)
    if not re.fullmatch(rf"[A-Za-z0-9_-]{{1,{most}}}", name):
        raise ArgumentError("name", f"{name!r} does not fit", f"1 to {most} letters, digits, hyphens and underscores")
