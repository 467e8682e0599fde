"""A model of pictures: a codec, noise, a network that looks through it, and the codec back to pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from unfog.codec import PictureCodec, PixelCodec, PixelStatistics, TokenCodec
from unfog.condition import NONE, Condition
from unfog.config import nearest
from unfog.denoise import TARGETS, Denoiser, GaussianDenoiser
from unfog.errors import ModelError
from unfog.guide.steer import Surroundings, check_guides, steer
from unfog.model.asked import Wish, asking
from unfog.model.base import DiffusionModel
from unfog.model.codec import codec_from
from unfog.model.looks import looking, pairs_of
from unfog.model.pairs import PairModel
from unfog.model.vocabulary import PAIR_TOKENS_FILE, TOKENS_FILE, read_tokens
from unfog.nets import NETWORKS
from unfog.process import SCHEDULES, GaussianProcess
from unfog.rng import Noise
from unfog.sample import GRIDS, SAMPLERS, Step, through, trajectory
from unfog.spec import (
    Sampling,
    Spec,
    begun,
    build_part,
    check_grid,
    choose,
    class_index,
    lookup,
    with_learned,
)

if TYPE_CHECKING:
    from PIL.Image import Image

PictureLoss = Callable[[Tensor], Tensor]

PIXELS_AT_ONCE = 100 * 28 * 28  # how many places are sampled together, which bounds memory


class PictureModel(DiffusionModel):
    """A model that draws pictures, in pixels or in the latents of a codec that was learned before.

    Attributes:
        asker: what it can be asked for.
        tokens: of prompts, where it learned to read by itself.
        pair_tokens: of its pair model, where that did.
        pairs: makes embeddings of pictures and texts, where it draws from those; frozen.
    """

    spec: Spec
    codec: PictureCodec
    denoiser: GaussianDenoiser

    def __init__(
        self,
        spec: Spec,
        history: Sequence[dict[str, Any]] = (),
        tokens: TokenCodec | None = None,
        pair_tokens: TokenCodec | None = None,
    ) -> None:
        super().__init__(spec, history)
        self.tokens, self.pair_tokens = tokens, pair_tokens
        statistics = build_part(PixelStatistics, spec.statistics, "pixel statistics")
        network, options = dict(spec.network), dict(spec.schedule)
        self.codec = codec_from(statistics, spec.latent) if spec.latent else PixelCodec(statistics)
        self.codec.requires_grad_(False)
        kind = network.pop("kind", "unet")
        if kind not in NETWORKS:
            raise ModelError(f"There is no network {kind!r}. {nearest(kind, NETWORKS)}")
        build, config_type = NETWORKS[kind]
        config = build_part(config_type, {**network, "channels": self.codec.latent[0]}, f"network {kind!r}")
        schedule = options.pop("kind", "cosine")
        if schedule not in SCHEDULES or spec.target not in TARGETS:
            raise ModelError(
                f"Unknown schedule {schedule!r} or target {spec.target!r}. Schedules: "
                f"{', '.join(SCHEDULES)}; targets: {', '.join(TARGETS)}."
            )
        process = GaussianProcess(build_part(SCHEDULES[schedule], options, f"schedule {schedule!r}"))
        context = getattr(config, "context", 0)
        self.pairs: PairModel | None = None
        self.encoder, self.asker = asking(spec, config.vector, context, tokens)
        if spec.pairs:
            self.pairs = pairs_of(spec, pair_tokens)
            known = self.pairs, self.encoder, self.asker
            self.encoder, self.asker = looking(spec, config, *known)
        self.denoiser = GaussianDenoiser(
            build(config), process, TARGETS[spec.target], variance=config.variance
        )

    @classmethod
    def read(cls, folder: Path, description: dict[str, Any]) -> PictureModel:
        """See ``Model.read``."""
        known = {f.name for f in fields(Spec)}
        values = {name: value for name, value in description.items() if name in known}
        values["sampling"] = build_part(Sampling, values.get("sampling", {}), "sampling")
        for name in ("classes", "groups", "shares", "examples"):
            values[name] = tuple(values.get(name, ()))
        values["shapes"] = tuple((height, width) for height, width in values.get("shapes", ()))
        spec = Spec(**values)
        tokens = read_tokens(folder, spec.text["tokens"]) if "tokens" in spec.text else None
        theirs = spec.pairs["model"]["text"] if spec.pairs else {}
        pair_tokens = read_tokens(folder, theirs["tokens"], PAIR_TOKENS_FILE) if "tokens" in theirs else None
        return cls(spec, description.get("history", []), tokens, pair_tokens)

    def files(self) -> Mapping[str, str]:
        """The tokens of prompts, where it, or its pair model, has its own."""
        named = {TOKENS_FILE: self.tokens, PAIR_TOKENS_FILE: self.pair_tokens}
        return {name: tokens.to_json() for name, tokens in named.items() if tokens is not None}

    # ---- what it is -------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of a picture."""
        return self.codec.shape

    def latent(self, sampling: Sampling) -> tuple[int, int, int]:
        """(c, h, w) of x for pictures of the shape that is asked for.

        Raises:
            SampleError: if the model learned no such shape.
        """
        channels, *square = self.codec.latent
        folded = self.shape[1] // square[0]
        height, width = self.spec.shape_of(sampling.aspect, self.shape[1:])
        return channels, height // folded, width // folded

    def class_index(self, label: str | int) -> int:
        """The number of a class, by name or number.

        Raises:
            SampleError: naming the nearest class.
        """
        return class_index(self.spec.classes, label)

    # ---- sampling ---------------------------------------------------------------------------------

    def generate(
        self,
        n: int = 8,
        *,
        label: str | int | Sequence[str | int] | None = None,
        prompt: str | Sequence[str] | None = None,
        negative: str | None = None,
        like: Any = None,
        edit: str | None = None,
        seed: int = 0,
        progress: Callable[[int, int], None] | None = None,
        loss: PictureLoss | None = None,
        **settings: Any,
    ) -> list[Image]:
        """New pictures.

        Args:
            n: how many.
            label: a class for all, or one for each; classes take turns when left out.
            prompt: words for all, or for each, where the model reads them.
            negative: words that guidance leads away from.
            like: a picture, or two for the way between them, where the model draws from visual words: PIL
                pictures, or uint8 arrays (H, W, C).
            edit: how it shall differ from ``like``: "from -> to".
            seed: picture i of a seed is the same whatever n is.
            progress: called with steps done and steps in all.
            loss: what to steer by: how wrong each picture is, (B,), differentiable, from pictures
                (B, C, H, W) where black is 0 and white is 1; ``loss_scale`` says how strongly.
            **settings: fields of ``Sampling``, and options of the sampler, to change, e.g.
                ``steps=20, guidance=2, sampler="ddim", eta=0.5``.

        Returns:
            n PIL pictures.
        """
        from PIL import Image

        given = None if like is None else as_arrays(like)
        wish = Wish(label=label, prompt=prompt, negative=negative, like=given, edit=edit)
        asked = self.asker.choose(n, wish)
        sampling = self.settings(**settings)
        pictures = self.draw(asked, n, seed=seed, sampling=sampling, progress=progress, loss=loss)
        return [Image.fromarray(p[..., 0] if p.shape[-1] == 1 else p) for p in pictures]

    def settings(self, **changes: Any) -> Sampling:
        """The model's own sampling settings with some changed; None means unchanged.

        Raises:
            SampleError: for an unknown setting, sampler, grid or threshold.
        """
        chosen = choose(self.spec.sampling, {k: v for k, v in changes.items() if v is not None}, SAMPLERS)
        lookup({**GRIDS, "optimised": None}, chosen.grid, "time grid")
        chosen = with_learned(chosen, self.spec.learned)
        self.latent(chosen)
        check_grid(chosen)
        check_guides(chosen, conditional=self.encoder is not None)
        if chosen.autoguidance != 1.0:
            self.weaker()  # now, so that an error comes before any work
        SAMPLERS[chosen.sampler](**chosen.options).check(self.denoiser.process, chosen.steps)
        return chosen

    def batch_size(self) -> int:
        """How many pictures are sampled at once."""
        return max(1, PIXELS_AT_ONCE // (self.codec.latent[1] * self.codec.latent[2]))

    def draw(
        self,
        asked: Sequence[Any] | None,
        n: int,
        *,
        seed: int = 0,
        sampling: Sampling | None = None,
        progress: Callable[[int, int], None] | None = None,
        loss: PictureLoss | None = None,
        quick: bool = False,
    ) -> np.ndarray:
        """New pictures as numbers.

        Args:
            asked: one thing for each, see ``asker``; or None.
            n: how many.
            seed: of the request.
            sampling: settings; the model's own when left out.
            progress: called with steps done and steps in all.
            loss: what to steer by, see ``generate``.
            quick: previews will do, see ``to_pictures``.

        Returns:
            uint8, (n, H, W, C).
        """
        sampling = sampling or self.spec.sampling
        size, parts = self.batch_size(), []
        batches = range(0, n, size)
        for number, first in enumerate(batches):
            indices = range(first, min(first + size, n))
            chosen = None if asked is None else [asked[i] for i in indices]
            last: Tensor | None = None
            for step in self.walk(indices, chosen, seed=seed, sampling=sampling, loss=loss):
                last = step.x_s
                if progress:
                    progress(number * sampling.steps + step.index + 1, len(batches) * sampling.steps)
            assert last is not None
            parts.append(self.to_pictures(last, quick=quick))
        return np.concatenate(parts)

    @torch.inference_mode()  # as a decorator, so that it does not stay on for the caller between two steps
    def walk(
        self,
        indices: Sequence[int],
        asked: Sequence[Any] | None,
        *,
        seed: int = 0,
        sampling: Sampling | None = None,
        loss: PictureLoss | None = None,
        base: Tensor | None = None,
        strength: float = 1.0,
    ) -> Iterator[Step]:
        """The way of one batch from noise to pictures; ``to_pictures`` shows any x on it.

        Args:
            indices: numbers of the pictures in the request of this seed.
            asked: one thing for each, see ``asker``; or None.
            seed: of the request.
            sampling: settings; the model's own when left out.
            loss: what to steer by, see ``generate``.
            base: x of a picture, (1, c, h, w), that is drowned in noise to begin with, instead of nothing.
            strength: in how much, see ``spec.begun``.
        """
        sampling = sampling or self.spec.sampling
        sampling = sampling if base is None else begun(sampling, strength)
        process = self.denoiser.process
        layout = through(sampling.levels) if sampling.grid == "optimised" else GRIDS[sampling.grid]
        grid = layout(process, sampling.steps, sampling.start, sampling.end)
        sampler = SAMPLERS[sampling.sampler](**sampling.options)
        rng = Noise.for_pictures(seed, indices)
        x = process.prior((len(indices), *self.latent(sampling)), rng, grid[0]).to(self.device)
        if base is not None:
            x = x + process.scales(grid[0], like=x)[0] * base.to(x)
        denoiser, cond = self.steered(indices, asked, seed=seed, sampling=sampling, loss=loss)
        was_training = self.training
        self.eval()
        try:
            yield from trajectory(denoiser, sampler, grid, x, cond, rng=rng)
        finally:
            self.train(was_training)

    def steered(
        self,
        indices: Sequence[int],
        asked: Sequence[Any] | None,
        *,
        seed: int,
        sampling: Sampling,
        loss: PictureLoss | None = None,
    ) -> tuple[Denoiser, Condition]:
        """The denoiser behind all guides, and the condition, for these pictures; see ``walk``."""
        (cond, null), weak = self.conditions(indices, asked, seed), None
        if sampling.autoguidance != 1.0:
            weaker = self.weaker()
            weak = weaker.denoiser, weaker.conditions(indices, asked, seed)[0]
        wish = None if loss is None else lambda posterior: loss(self.codec.to_unit(posterior.mean))
        around = Surroundings(null, weak, wish, self.codec.limits())
        return steer(self.denoiser, sampling, around), cond

    def conditions(
        self, indices: Sequence[int], asked: Sequence[Any] | None, seed: int = 0
    ) -> tuple[Condition, Condition]:
        """What steers these pictures, and what guidance leads away from; see ``walk``."""
        if self.encoder is None:
            return NONE, NONE
        away = self.asker.away(asked)
        null = self.encoder.null(len(indices)) if away is None else self.encoder(away)
        return self.encoder(self.asker.raw(asked, indices, seed)), null

    @torch.no_grad()
    def to_pictures(self, x: Tensor, *, quick: bool = False) -> np.ndarray:
        """x, (B, c, h, w), as uint8 pictures (B, H, W, C).

        Args:
            x: on the way or at its end.
            quick: a preview will do, which costs less where a codec was learned.
        """
        shown = self.codec.glance(x) if quick else self.codec.decode(x)
        pictures: np.ndarray = shown.permute(0, 2, 3, 1).cpu().numpy()
        return pictures


def as_arrays(like: Any) -> list[np.ndarray]:
    """One picture or several, PIL pictures or uint8 arrays, as uint8 arrays (H, W, C)."""
    several = like if isinstance(like, list | tuple) else [like]
    found = [np.asarray(each if isinstance(each, np.ndarray) else each.convert("RGB")) for each in several]
    return [each[..., None] if each.ndim == 2 else each for each in found]
