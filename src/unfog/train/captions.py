"""What a text encoder is told of each picture: one of its captions, another one in each step.

Pictures with several captions, perhaps in several languages, are so learned with all of them. Which one it is
depends on the seed, the step and the place in the batch alone, so that a resumed run sees the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from unfog.condition.word_cache import WordStore
from unfog.rng import derive_seed


class Captions:
    """Words of captions, by picture; see ``batches.Told``.

    Args:
        words: of all captions, picture after picture; one without captions has an empty one.
        counts: captions of each picture, (N,), at least 1.
        seed: of the choice.
    """

    def __init__(self, words: WordStore, counts: Sequence[int], seed: int) -> None:
        self.words, self.seed = words, seed
        self.counts = np.asarray(counts, np.int64)
        self.first = np.concatenate([[0], np.cumsum(self.counts)[:-1]])

    def __call__(self, chosen: np.ndarray, step: int) -> tuple[Tensor | None, ...]:
        """The tensors of ``Words`` for some pictures, by number."""
        return self.words.pick(self.rows(chosen, step).tolist()).tensors()

    def rows(self, chosen: np.ndarray, step: int) -> np.ndarray:
        """Which caption of each of some pictures it is, among all captions."""
        coins = np.random.default_rng(derive_seed(self.seed, "caption", step)).random(len(chosen))
        found: np.ndarray = self.first[chosen] + (coins * self.counts[chosen]).astype(np.int64)
        return found


class PairedCaptions:
    """The same with the numbers of captions, so that it can be known which are true of another picture.

    Args:
        captions: of all pictures.
    """

    def __init__(self, captions: Captions) -> None:
        self.captions = captions
        most = int(captions.counts.max(initial=1))
        numbers = captions.words.rows.numpy()
        places = captions.first[:, None] + np.arange(most)
        inside = np.arange(most) < captions.counts[:, None]
        self.numbers = numbers
        self.own = np.where(inside, numbers[np.minimum(places, len(numbers) - 1)], -1)

    def __call__(self, chosen: np.ndarray, step: int) -> tuple[Tensor | None, ...]:
        """Number of each caption (B,), those of all captions of its picture (B, K), and the words.

        Equal texts have equal numbers; -1 stands in empty places.
        """
        rows = self.captions.rows(chosen, step)
        told = torch.from_numpy(self.numbers[rows]), torch.from_numpy(self.own[chosen])
        return *told, *self.captions.words.pick(rows.tolist()).tensors()
