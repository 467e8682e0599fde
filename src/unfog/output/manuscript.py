"""Text that says where it comes from: the texts themselves, and below them who wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unfog.output.provenance import Provenance

RULE = "\n----\n"
_MARK = " unfog: "


def manuscript(texts: Sequence[str], provenance: Provenance) -> str:
    """Texts one below the other, and a last line that says that unfog made them, and how.

    Args:
        texts: what was written.
        provenance: what wrote it.
    """
    note = f"AI-generated with unfog {provenance.version}.{_MARK}{provenance.to_json()}"
    return RULE.join([*(text.rstrip("\n") for text in texts), note]) + "\n"


def read_manuscript(path: Path) -> Provenance | None:
    """What made a text file, from its last line; None if that does not say so.

    Raises:
        DataError: if it says so, and is damaged.
    """
    with open(path, "rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - (256 << 10)))
        last = file.read().decode("utf-8", "replace").rstrip("\n").rpartition("\n")[2]
    before, mark, told = last.partition(_MARK)
    return Provenance.from_json(told) if mark and before.startswith("AI-generated with unfog") else None
