"""A pair model: pictures and texts as vectors of one space, and a prior that leads from texts to pictures.

A picture and what is said of it get nearly the same direction (CLIP; Radford et al. 2021, arXiv 2103.00020),
so that either finds the other. Nearly, not quite: a text leaves much open. The prior, a diffusion of
embeddings, turns that of a text into those that pictures with this text may have (DALL-E 2; Ramesh et al.
2022, arXiv 2204.06125). It draws nothing by itself: models of pictures learn to draw from its embeddings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.codec import PixelCodec, PixelStatistics, TokenCodec
from unfog.condition import Condition, LanguageModel, Words
from unfog.condition.words import masked_mean
from unfog.denoise import TARGETS, GaussianDenoiser
from unfog.errors import ModelError
from unfog.guide.classifier_free import ClassifierFree
from unfog.model.asked import language_of, text_encoder
from unfog.model.base import Model
from unfog.model.vocabulary import TOKENS_FILE, read_tokens
from unfog.nets.gaze import Gaze, GazeConfig
from unfog.nets.layers import Linear
from unfog.nets.vector import VectorNet, VectorNetConfig
from unfog.process import GaussianProcess
from unfog.rng import Noise
from unfog.sample import GRIDS, DPMSolver2M, trajectory
from unfog.spec import PairSpec, build_part

AT_ONCE = 64
SHARPEST = 100.0  # times that likenesses are multiplied at most; beyond it training becomes unstable
FIRST = 1 / 0.07
START, END = 40.0, 0.05  # noise levels between which the prior walks
TRIES = 2  # embeddings that the prior draws for each; the one nearer to the text is kept


class PairModel(Model):
    """A model that tells which text goes with which picture.

    Attributes:
        gaze: pictures to embeddings.
        encoder: words to a vector and tokens; ``head`` makes an embedding of them.
        prior: embeddings of pictures, noisy, given those of texts.
        sharpness: log of what likenesses are multiplied by.
        tokens: of captions, where it learned to read by itself.
    """

    spec: PairSpec
    codec: PixelCodec

    def __init__(
        self, spec: PairSpec, history: Sequence[dict[str, Any]] = (), tokens: TokenCodec | None = None
    ) -> None:
        super().__init__(spec, history)
        self.tokens = tokens
        self.codec = PixelCodec(build_part(PixelStatistics, spec.statistics, "pixel statistics"))
        shape = {**spec.gaze, "channels": self.codec.shape[0]}
        gaze: GazeConfig = build_part(GazeConfig, shape, "picture encoder")
        size, text = gaze.embedding, dict(spec.text)
        width = text.pop("width")
        self.gaze = Gaze(gaze)
        self.encoder = text_encoder(text, width, size, tokens)
        self.head = Linear(size + width, size)
        self.sharpness = nn.Parameter(torch.tensor(math.log(FIRST)))
        prior = build_part(VectorNetConfig, {**spec.prior, "size": size, "vector": size}, "prior")
        self.prior = GaussianDenoiser(VectorNet(prior), GaussianProcess(), TARGETS["data"])
        self._language: LanguageModel | None = None

    @classmethod
    def read(cls, folder: Path, description: dict[str, Any]) -> PairModel:
        """See ``Model.read``."""
        known = {f.name for f in fields(PairSpec)}
        spec = PairSpec(**{name: value for name, value in description.items() if name in known})
        tokens = read_tokens(folder, spec.text["tokens"]) if "tokens" in spec.text else None
        return cls(spec, description.get("history", []), tokens)

    def files(self) -> Mapping[str, str]:
        """The tokens of captions, where it has its own."""
        return {} if self.tokens is None else {TOKENS_FILE: self.tokens.to_json()}

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of a picture as it looks at it."""
        return self.codec.shape

    @property
    def size(self) -> int:
        """E, numbers in an embedding."""
        return self.gaze.config.embedding

    def language(self) -> LanguageModel:
        """What reads the texts; opened when first needed.

        Raises:
            ModelError: if it is another than the model learned with.
            MissingExtra: if a package is not installed.
        """
        if self._language is None:
            self._language = language_of(self.spec.text, self.tokens)
        return self._language

    def generate(self, n: int = 8, *, seed: int = 0, **settings: Any) -> list[Any]:
        """A pair model draws nothing.

        Raises:
            ModelError: always, saying what does.
        """
        raise ModelError(
            "This is a pair model: it finds pictures and texts, and draws nothing by itself. Train a model "
            "that draws from its visual words: unfog train text2image --pairs MODEL --data DATA --out RUN"
        )

    # ---- one space --------------------------------------------------------------------------------

    def scale(self) -> Tensor:
        """What likenesses are multiplied by before they compete, ()."""
        return self.sharpness.exp().clamp(max=SHARPEST)

    def say(self, words: Words) -> Tensor:
        """Embeddings of texts as they were read, (B, E), of length 1; 0 for one that says nothing."""
        cond = self.encoder(words)
        assert cond.vector is not None and cond.tokens is not None and cond.mask is not None
        both = torch.cat([cond.vector, masked_mean(cond.tokens, cond.mask)], 1)
        found = F.normalize(self.head(both), dim=1)
        return found * words.present.to(found.device)[:, None]

    @torch.no_grad()
    def embed_pictures(self, pictures: np.ndarray) -> Tensor:
        """Embeddings of pictures, (N, E), float32, of length 1.

        Args:
            pictures: uint8 (N, H, W, C), of any size, grey or in colour.
        """
        parts = []
        for start in range(0, len(pictures), AT_ONCE):
            raw = torch.from_numpy(np.array(pictures[start : start + AT_ONCE])).permute(0, 3, 1, 2)
            parts.append(self._still(self.gaze, fitted(raw.to(self.device), self.shape)))
        return torch.cat(parts).cpu() if parts else torch.zeros(0, self.size)

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Embeddings of texts, (N, E), float32, of length 1; 0 for an empty one.

        Args:
            texts: captions or prompts, in the languages it learned from.
        """
        parts = []
        for start in range(0, len(texts), AT_ONCE):
            words = self.language().read(texts[start : start + AT_ONCE])
            parts.append(self._still(self.say, words))
        return torch.cat(parts).cpu() if parts else torch.zeros(0, self.size)

    def _still(self, module: Any, x: Any) -> Tensor:
        """What a part makes of x without dropout."""
        was_training = self.training
        self.eval()
        found: Tensor = module(x)
        self.train(was_training)
        return found

    # ---- the prior --------------------------------------------------------------------------------

    @torch.no_grad()
    def imagine(
        self,
        said: Tensor,
        *,
        seed: int = 0,
        indices: Sequence[int] | None = None,
        guidance: float | None = None,
        tries: int = TRIES,
    ) -> Tensor:
        """Embeddings that pictures of some texts may have, (N, E), of length 1.

        Args:
            said: embeddings of the texts, (N, E); 0 is any picture.
            seed: example i of a seed is the same whatever N is.
            indices: numbers of the examples; from 0 on when left out.
            guidance: 1 is off; the model's own when left out.
            tries: drawn for each; the one nearest to its text is kept.
        """
        places = range(len(said)) if indices is None else indices
        if not len(said):
            return torch.zeros(0, self.size)
        said = said.to(self.device)
        drawn = torch.stack(
            [self._walk(said, Noise.for_pictures(seed + k, places), guidance) for k in range(max(1, tries))]
        )
        best = (drawn * said).sum(2).argmax(0)
        return drawn[best, torch.arange(len(said), device=drawn.device)].cpu()

    def _walk(self, said: Tensor, rng: Noise, guidance: float | None) -> Tensor:
        process = self.prior.process
        grid = GRIDS["karras"](process, self.spec.steps, START, END)
        scale = self.spec.guidance if guidance is None else guidance
        null = Condition(vector=torch.zeros_like(said))
        denoiser = ClassifierFree(self.prior, null, scale)
        x = process.prior(said.shape, rng, grid[0]).to(said)
        was_training = self.training
        self.eval()
        for step in trajectory(denoiser, DPMSolver2M(), grid, x, self.steering(said), rng=rng):
            x = step.x_s
        self.train(was_training)
        return F.normalize(x, dim=1)

    def steering(self, said: Tensor) -> Condition:
        """What steers the prior: embeddings of texts (B, E), each number of variance about 1."""
        return Condition(vector=said * self.size**0.5)


def fitted(raw: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Pictures of any size, uint8 (B, C, H, W), as a picture encoder sees them: black -1, white 1.

    Args:
        raw: grey or in colour.
        shape: (C, H, W) wanted; shrunk by averages, grown smoothly.
    """
    x = raw.float() / 127.5 - 1
    if x.shape[1] != shape[0]:
        luma = torch.tensor([0.299, 0.587, 0.114], device=x.device)[:, None, None]
        x = (x * luma).sum(1, keepdim=True) if shape[0] == 1 else x.expand(-1, shape[0], -1, -1)
    if x.shape[2:] != shape[1:]:
        x = F.interpolate(x, shape[1:], mode="bilinear", antialias=True, align_corners=False)
    return x
