"""What an encoder of visual words is told of each picture: its embedding, a little blurred in training.

Embeddings are computed once, as the encoder that makes them is frozen. How much each is blurred is drawn anew
in every step, from nothing up to a limit: see ``condition/image.py`` for why.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from unfog.condition import Words
from unfog.condition.image import blurred
from unfog.rng import Noise, derive_seed
from unfog.train.batches import Told


class Seen:
    """Embeddings, by picture; see ``batches.Told``.

    Args:
        embeddings: of all pictures, (N, E), of length 1.
        blur: the most that is added to them, see ``blurred``.
        seed: of the blur.
    """

    def __init__(self, embeddings: Tensor, blur: float, seed: int) -> None:
        self.embeddings, self.blur, self.seed = embeddings, blur, seed

    def __call__(self, chosen: np.ndarray, step: int) -> tuple[Tensor | None, ...]:
        """Embeddings of some pictures, by number, (B, E)."""
        found = self.embeddings[torch.from_numpy(np.asarray(chosen))]
        rng = Noise(derive_seed(self.seed, "blur", step))
        return (blurred(found, rng.normal(found.shape), self.blur * rng.uniform((len(found),))),)


class Beside:
    """Words of a picture, and its embedding beside them; see ``batches.Told``.

    Words alone are hidden now and then, so that the picture has something to say.

    Args:
        words: tensors of ``Words``, by picture.
        seen: embeddings, by picture.
        share: of pictures whose words are hidden.
        seed: of the choice.
    """

    def __init__(self, words: Told, seen: Told, share: float, seed: int) -> None:
        self.words, self.seen, self.share, self.seed = words, seen, share, seed

    def __call__(self, chosen: np.ndarray, step: int) -> tuple[Tensor | None, ...]:
        """The tensors of ``Words`` and embeddings of some pictures, by number."""
        words = Words.from_tensors([each for each in self.words(chosen, step) if each is not None])
        hidden = Noise(derive_seed(self.seed, "beside", step)).uniform((len(words),)) < self.share
        return *words.hide(hidden).tensors(), *self.seen(chosen, step)
