"""The text of functions/counting/joining.py: the letters that join their neighbours, as the package `idna` knows."""

from collections.abc import Callable

from idna import valid_contextj

CURSIVE = range(0x600, 0x1F000)
"""Where all cursive scripts are."""

NON_JOINER, MARK, BEH = "\u200c", "\u064b", "\u0628"
HEAD = '''"""Letters that join the next or the previous one in cursive scripts (Joining_Type), as hexadecimal ranges.

Written by ./counter generate, from the package `idna`; a test compares it with that.
"""
'''


def joins_next(letter: str) -> bool:
    """Tell whether a letter is of the joining types L and D."""
    return valid_contextj(letter + MARK + NON_JOINER + BEH, 2)


def joins_previous(letter: str) -> bool:
    """Tell whether a letter is of the joining types R and D."""
    return valid_contextj(BEH + NON_JOINER + letter, 1)


def ranges(joins: Callable[[str], bool]) -> list[str]:
    """Return the code points that join, in ranges."""
    found: list[list[int]] = []
    for code in CURSIVE:
        if joins(chr(code)):
            if found and found[-1][1] == code - 1:
                found[-1][1] = code
            else:
                found.append([code, code])
    return [f"{first:x}" if first == last else f"{first:x}-{last:x}" for first, last in found]


def joining() -> str:
    """Make the module."""
    made = HEAD
    for name, joins in (("NEXT", joins_next), ("PREVIOUS", joins_previous)):
        lines, line = [], ""
        for item in ranges(joins):
            if len(line) + len(item) > 110:
                lines.append(line)
                line = ""
            line += f"{item} "
        lines.append(line)
        body = "\n".join(f'    "{each}"' for each in lines)
        made += f"\n{name} = (\n{body}\n)\n"
    return made
