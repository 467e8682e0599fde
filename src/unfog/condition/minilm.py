"""MiniLM: the language model for English prompts that unfog brings itself, 384 numbers for each token.

Its weights come with ``unfog data get minilm`` (``data/minilm.py``); the network is ``nets/bert.py``, so
nothing else has to be installed. It was trained to give sentences of the same meaning the same mean of states
(Reimers & Gurevych 2019, arXiv 1908.10084), on texts of up to 128 tokens. It knows no Chinese: see
``universal.py``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from unfog.condition.language import LONGEST, LanguageModel, files_digest, mostly, padded_rows
from unfog.condition.words import Words
from unfog.data.minilm import SHAPE, TOKENS, WEIGHTS
from unfog.data.named import NAMED, folder_of
from unfog.errors import ModelError
from unfog.nets.bert import Bert, BertConfig


class MiniLM(LanguageModel):
    """all-MiniLM-L6-v2; loaded when it reads for the first time.

    Args:
        longest: tokens that are read of a text, at most 512; None for 128.
        device: where it computes.
        cache: folder of the cache; None is $UNFOG_CACHE or the user's cache folder.
        folder: with another model of its kind; None for its own.

    Raises:
        DataError: its weights are not on this machine yet.
    """

    def __init__(
        self,
        longest: int | None = None,
        device: torch.device | str = "cpu",
        cache: Path | None = None,
        folder: Path | None = None,
    ) -> None:
        self.name = "minilm"
        self._folder = folder or folder_of(NAMED["minilm"], cache)
        self._device = device
        self.longest = min(longest or LONGEST, self._config.longest)
        self.width = self._config.width

    @property
    def fingerprint(self) -> str:
        """Of its three files."""
        return self._fingerprint

    def count(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has before it is cut, special ones included."""
        return [len(row) for row in self._rows(texts)]

    def unknown(self, texts: Sequence[str]) -> int:
        """How many of the texts are at least half of characters that it does not know, as Chinese ones."""
        return mostly(self._rows(texts), self._tokenizer.token_to_id("[UNK]"), around=2)

    def _rows(self, texts: Sequence[str]) -> list[list[int]]:
        return [each.ids for each in self._tokenizer.encode_batch_fast(list(texts))]

    @torch.no_grad()
    def _read(self, texts: list[str]) -> Words:
        rows = self._rows(texts)
        tokens, mask = padded_rows(rows, self.longest, {row[-1] for row in rows})
        states = self._bert(tokens.to(self._device), mask.to(self._device)).float().cpu()
        return Words(states, mask, mask.any(1))

    @cached_property
    def _fingerprint(self) -> str:
        return files_digest([self._folder / name for name in (WEIGHTS, TOKENS, SHAPE)], "bert", self.longest)

    @cached_property
    def _config(self) -> BertConfig:
        try:
            return BertConfig.from_published(json.loads((self._folder / SHAPE).read_text("utf-8")))
        except (OSError, ValueError) as error:
            raise self._damaged(error) from error

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        try:
            found = Tokenizer.from_file(str(self._folder / TOKENS))
        except Exception as error:  # the library raises a bare Exception
            raise self._damaged(error) from error
        found.no_padding()
        found.no_truncation()
        return found

    @cached_property
    def _bert(self) -> Bert:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        with torch.device("meta"):
            bert = Bert(self._config)
        try:
            bert.load_published(load_file(self._folder / WEIGHTS))
        except (OSError, SafetensorError) as error:
            raise self._damaged(error) from error
        return bert.eval().requires_grad_(False).to(self._device)

    def _damaged(self, error: Exception) -> ModelError:
        return ModelError(
            f"The language model in {self._folder} is damaged ({error}). "
            "Delete that folder, then: unfog data get minilm"
        )
