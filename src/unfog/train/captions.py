"""What a text encoder is told of each picture: one of its captions, another one in each step.

Pictures with several captions, perhaps in several languages, are so learned with all of them. Which one it is
depends on the seed, the step and the place in the batch alone, so that a resumed run sees the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
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
        coins = np.random.default_rng(derive_seed(self.seed, "caption", step)).random(len(chosen))
        rows = self.first[chosen] + (coins * self.counts[chosen]).astype(np.int64)
        return self.words.pick(rows.tolist()).tensors()
