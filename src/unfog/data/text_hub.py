"""Texts of hub data sets through the library ``datasets``: 'hub:OWNER/NAME', or what it saved to disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from unfog.data.document import Document, TextReader
from unfog.data.hub import HubReader, load_parts
from unfog.data.layout import split_of
from unfog.data.text_table import find_text_columns, row_document


@dataclass
class TextHubReader(TextReader):
    """Texts of a hub data set. Without a split, all are read; test and validation parts are held out."""

    @classmethod
    def accepts(cls, source: str) -> bool:
        """As for pictures."""
        return HubReader.accepts(source)

    def documents(self) -> Iterator[Document]:
        """Every row, split after split."""
        parts = load_parts(self.source)
        sides = {split_of(name) for name in parts}
        official = True in sides and False in sides
        for split, part in parts.items():
            kinds = part.features
            sample = [{name: "" for name, kind in kinds.items() if getattr(kind, "dtype", "") in _TEXT}]
            columns = find_text_columns(split, tuple(kinds), sample, self.options)
            names = tuple(getattr(kinds.get(columns.label), "names", None) or ())
            self.classes = self.classes or names or None
            for index, row in enumerate(part.select_columns(columns.names())):
                found = row_document(f"{split}#{index}", row, columns, names)
                yield replace(found, held=split_of(split)) if official else found


_TEXT = {"string", "large_string"}
