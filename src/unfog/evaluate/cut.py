"""Text cut into words, the same way for every model, whatever its own tokens are.

Words are runs of letters and digits; where a script has no spaces (Chinese, Japanese), every character is
one.
"""

from __future__ import annotations

import re

_ALONE = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\U00020000-\U0003ffff"
_WORD = rf"[{_ALONE}]|[^\W_{_ALONE}]+"
_WORDS = re.compile(_WORD)
_WORDS_AND_MARKS = re.compile(rf"{_WORD}|[^\w\s]|_")


def words(text: str) -> list[str]:
    """Words in lower case, without punctuation: ``"A-b 山水。"`` is a, b, 山, 水."""
    return _WORDS.findall(text.lower())


def words_and_marks(text: str) -> list[str]:
    """Words as they are written, and every punctuation mark as a word of its own."""
    return _WORDS_AND_MARKS.findall(text)
