"""The characters that the OpenAPI document forbids in tags only in words, because its patterns cannot express them."""

from __future__ import annotations

import unicodedata


def is_forbidden_in_words(character: str) -> bool:
    """Whether a character is unassigned, a joiner, or an invisible one after U+FFFF."""
    category = unicodedata.category(character)
    is_selector = 0xE0100 <= ord(character) <= 0xE01EF
    is_late = ord(character) > 0xFFFF and (category in ("Cf", "Co") or is_selector)
    return character in "\u200c\u200d" or category == "Cn" or is_late
