"""The glossary keeps up with the code: every entry in both languages, every name of the tables in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GLOSSARY = Path(__file__).resolve().parent.parent / "docs" / "glossary.md"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def entries() -> list[list[str]]:
    """Each entry as its three lines: heading, English, Chinese."""
    parts = re.split(r"\n\s*\n", GLOSSARY.read_text(encoding="utf-8"))
    found = [part for part in parts if part.startswith("**") and part.count(" · ") >= 2]
    return [[" ".join(line.split()) for line in part.split("\\\n")] for part in found]


def table_names() -> list[str]:
    """The names that people write in commands and settings."""
    from unfog.codec import CODECS, VOCABULARIES
    from unfog.condition import LANGUAGE_MODELS
    from unfog.denoise import TARGETS
    from unfog.guide import THRESHOLDS
    from unfog.nets import NETWORKS
    from unfog.process import DISCRETE, KEEPS, SCHEDULES
    from unfog.sample import GRIDS, SAMPLERS, TOKEN_SAMPLERS
    from unfog.train.denoising import WEIGHTS

    pictures = (TARGETS, THRESHOLDS, NETWORKS, SCHEDULES, GRIDS, SAMPLERS, WEIGHTS)
    text = (VOCABULARIES, DISCRETE, KEEPS, TOKEN_SAMPLERS, LANGUAGE_MODELS)
    tables = (CODECS, *pictures, *text)
    return sorted({name for table in tables for name in table})


def test_every_entry_is_told_in_both_languages() -> None:
    assert len(entries()) > 50
    for entry in entries():
        assert len(entry) == 3, f"heading, English, Chinese, each ended by a backslash: {entry}"
        heading, english, chinese = entry
        assert CHINESE.search(heading) or "U-Net" in heading or "Transformer" in heading, heading
        assert not CHINESE.search(english), english
        assert CHINESE.search(chinese), chinese
        assert english.endswith(".") and chinese.endswith("。"), entry


def test_no_term_is_explained_twice() -> None:
    terms = [entry[0].split("**")[1] for entry in entries()]
    assert sorted(terms) == sorted(set(terms))


def test_every_name_of_the_tables_is_explained() -> None:
    text = GLOSSARY.read_text(encoding="utf-8")
    missing = [name for name in table_names() if f"`{name}`" not in text]
    assert not missing, f"add these to docs/glossary.md: {missing}"


@pytest.mark.parametrize("words", ["`t` runs from 0 (data) to 1 (noise)", "Guidance 1 means off"])
def test_the_conventions_stand_on_top(words: str) -> None:
    assert words in GLOSSARY.read_text(encoding="utf-8").split("\n## ")[0]
