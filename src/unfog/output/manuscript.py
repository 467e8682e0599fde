"""Text that says where it comes from: the texts themselves, and below them who wrote them."""

from __future__ import annotations

from collections.abc import Sequence

from unfog.output.provenance import Provenance

RULE = "\n----\n"


def manuscript(texts: Sequence[str], provenance: Provenance) -> str:
    """Texts one below the other, and a last line that says that unfog made them, and how.

    Args:
        texts: what was written.
        provenance: what wrote it.
    """
    note = f"AI-generated with unfog {provenance.version}. unfog: {provenance.to_json()}"
    return RULE.join([*(text.rstrip("\n") for text in texts), note]) + "\n"
