"""A model of tokens: canvases in, with some tokens open; step by step the network fills them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from unfog.codec.tokens import TokenCodec
from unfog.condition import NONE, Condition, LabelEncoder
from unfog.config import nearest
from unfog.denoise.categorical import CategoricalPosterior, MaskedDenoiser, TokenDenoiser, UniformDenoiser
from unfog.errors import ModelError, SampleError
from unfog.guide import Barred, ClassifierFree, Given
from unfog.model.base import DiffusionModel
from unfog.model.blocks import Amid, Bar, Blockwise, walk_beneath, walk_blocks
from unfog.model.canvas import Canvas, Layout
from unfog.model.forgetting import process_for
from unfog.model.vocabulary import TOKENS_FILE, read_tokens
from unfog.nets import TEXT_NETWORKS
from unfog.nets.text import TextTransformer
from unfog.process import MaskedProcess, UniformProcess
from unfog.rng import Noise
from unfog.sample import TOKEN_SAMPLERS, Ancestral, Closing, LengthFirst, Step, Unrepeated, even, trajectory
from unfog.sample.ordered import Ordered
from unfog.spec import Writing, build_part, choose_labels, choose_writing
from unfog.spec.text import TextSpec

TOKENS_AT_ONCE = 16_384  # how many tokens are written together, which bounds memory

Progress = Callable[[int, int], None]


class TokenModel(DiffusionModel):
    """A model that fills canvases of tokens.

    Args:
        spec: what it is.
        codec: its tokens.
        history: how it was made.
    """

    spec: TextSpec
    codec: TokenCodec
    denoiser: MaskedDenoiser | UniformDenoiser

    def __init__(self, spec: TextSpec, codec: TokenCodec, history: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(spec, history)
        network = dict(spec.network)
        kind = network.pop("kind", "text")
        if kind not in TEXT_NETWORKS:
            raise ModelError(f"There is no network of text {kind!r}. {nearest(kind, TEXT_NETWORKS)}")
        build, config_type = TEXT_NETWORKS[kind]
        process = process_for(spec.process, codec.vocabulary)
        network["vocabulary"] = process.vocabulary
        config = build_part(config_type, network, f"network {kind!r}")
        self.codec = codec
        self.layout = Layout(codec, spec.context, spec.packed, spec.room)
        self.encoder = LabelEncoder(len(spec.classes), config.vector) if spec.classes else None
        if isinstance(process, MaskedProcess):
            self.denoiser = MaskedDenoiser(build(config), process)
        else:
            assert isinstance(process, UniformProcess)
            # the network sees no clock; what the own token says of itself does depend on the time
            self.denoiser = UniformDenoiser(build(config), process, adds_own=True)
        self.block, self.gap = int(config.block), config.gap
        self.whole = not self.block or bool(config.whole)  # sees all of a text at once, where that is of use
        if self.block > spec.context:
            raise ModelError(
                f"network.block = {self.block}: this model sees {spec.context} tokens at once. Give a "
                "smaller block, or a larger --size."
            )
        if self.block and not isinstance(process, MaskedProcess):
            raise ModelError("Only masked diffusion writes block by block: leave network.block out.")

    @classmethod
    def read(cls, folder: Path, description: dict[str, Any]) -> Self:
        """See ``Model.read``."""
        known = {f.name for f in fields(TextSpec)}
        values = {name: value for name, value in description.items() if name in known}
        values["sampling"] = build_part(Writing, values.get("sampling", {}), "sampling")
        for name in ("classes", "tasks"):
            values[name] = tuple(values.get(name, ()))
        tokens = read_tokens(folder, values["tokens"])
        return cls(TextSpec(**values), tokens, description.get("history", []))

    def files(self) -> Mapping[str, str]:
        """The tokens, beside the weights."""
        return {TOKENS_FILE: self.codec.to_json()}

    # ---- walking ----------------------------------------------------------------------------------

    def written(
        self,
        canvases: Sequence[Canvas],
        *,
        numbers: Sequence[int] | None = None,
        label: str | int | Sequence[str | int] | None = None,
        seed: int = 0,
        start: float = 1.0,
        ends: bool = True,
        progress: Progress | None = None,
        **settings: Any,
    ) -> Tensor:
        """Tokens on these canvases, (n, L), int64.

        Args:
            canvases: of one length.
            numbers: of the texts in the request; 0, 1, 2, ... when left out.
            label: see ``generate``.
            seed: of the request.
            start: the time that the canvases are at; 1 is all noise.
            ends: whether a text may end where a canvas is open.
            progress: called with steps done and steps in all.
            **settings: see ``generate``.
        """
        n, writing = len(canvases), self.settings(**settings)
        numbers = range(n) if numbers is None else numbers
        labels = self.choose_labels(n, label)
        size = max(1, TOKENS_AT_ONCE // len(canvases[0].tokens))
        batches, parts = range(0, n, size), []
        for number, first in enumerate(batches):
            indices = range(first, min(first + size, n))
            rows = [canvases[i] for i in indices]
            chosen = None if labels is None else [labels[i] for i in indices]
            last = torch.stack([row.tokens for row in rows])
            for done, total, step in self.walk(
                [numbers[i] for i in indices],
                rows,
                chosen,
                seed=seed,
                writing=writing,
                start=start,
                ends=ends,
            ):
                last = step.x_s
                if progress:
                    progress(number * total + done, len(batches) * total)
            parts.append(last.cpu())
        return torch.cat(parts)

    @torch.inference_mode()
    def walk(
        self,
        indices: Sequence[int],
        canvases: Sequence[Canvas],
        labels: Sequence[int] | None = None,
        *,
        seed: int = 0,
        writing: Writing | None = None,
        start: float = 1.0,
        ends: bool = True,
    ) -> Iterator[tuple[int, int, Step]]:
        """The way of one batch from noise to text: steps done, steps in all, and the step.

        Args:
            indices: numbers of the texts in the request of this seed.
            canvases: one for each.
            labels: one class number each, or None.
            seed: of the request.
            writing: settings; the model's own when left out.
            start: the time that the canvases are at.
            ends: whether a text may end where a canvas is open.
        """
        writing = writing or self.spec.sampling
        by_blocks = self._by_blocks(canvases)
        sampler = self._composed(writing, canvases, ends, first=start == 1.0, by_blocks=by_blocks)
        rng, canvas = Noise.for_pictures(seed, indices), torch.stack([c.tokens for c in canvases])
        x = canvas.to(self.device)
        given = x != self.codec.mask
        if isinstance(self.denoiser, UniformDenoiser):
            x = torch.where(given, x, self.denoiser.process.prior(x.shape, rng).to(x))
        was_training = self.training
        self.eval()
        try:
            denoiser, cond = self._steered(x, labels, writing)
            bar = self._bar(canvases, ends)
            total = writing.steps * (-(-x.shape[1] // self.block) if self.block else 1)
            grid = even(writing.steps if by_blocks else total, start)
            if by_blocks:
                way = self._walk_blocks(sampler, grid, x, cond, rng, bar)
            elif (source := self._source(canvases)) and start == 1.0 and writing.guidance == 1.0:
                way = walk_beneath(self.denoiser, sampler, grid, x, source, cond, bar=bar, rng=rng)
            else:
                denoiser = bar(denoiser, slice(None))
                if start == 1.0 and bool(given.any()):
                    denoiser = Given(denoiser, x, given)
                way = trajectory(denoiser, sampler, grid, x, cond, rng=rng)
            for step in way:
                yield min(step.index + 1, total), total, step
        finally:
            self.train(was_training)

    def _composed(
        self, writing: Writing, canvases: Sequence[Canvas], ends: bool, *, first: bool, by_blocks: bool
    ) -> Any:
        """The sampler, with what it has to mind on these canvases; ``first`` is to begin at time 1."""
        sampler = named = self._sampler(writing)
        if ends and first and self._tells_length(canvases, sampler):
            sampler = LengthFirst(sampler, self.codec.end)
        if writing.no_repeat:
            sampler = Unrepeated(sampler, writing.no_repeat, (self.codec.end,))
        if ends and self.layout.packed and not by_blocks and isinstance(named, Ancestral | Ordered):
            sampler = Closing(sampler, self.codec.end)
        return sampler

    def _sampler(self, writing: Writing) -> Any:
        options = {"temperature": writing.temperature, "top_p": writing.top_p, **writing.options}
        return TOKEN_SAMPLERS[writing.sampler](**options)

    def _by_blocks(self, canvases: Sequence[Canvas]) -> bool:
        """Whether these canvases are written block by block: wherever nothing given would go unseen."""
        if self.whole and self.block:
            open = torch.stack([canvas.tokens for canvas in canvases]) == self.codec.mask
            return bool((open.cummax(1).values == open).all())
        return bool(self.block)

    def _tells_length(self, canvases: Sequence[Canvas], sampler: Any) -> bool:
        """Whether the length of texts is settled first: where END follows them up to the end of their row."""
        if self.block or self.layout.packed or not isinstance(sampler, Ancestral | Ordered):
            return False
        return all(int(canvas.tokens[-1]) == self.codec.mask for canvas in canvases)

    def _source(self, canvases: Sequence[Canvas]) -> int:
        """Tokens of the sources of these canvases, where they need to be read only once; else 0."""
        start = canvases[0].start
        if self.gap is None or any(canvas.start != start for canvas in canvases):
            return 0
        rows = torch.stack([canvas.tokens for canvas in canvases])
        closed, open = rows[:, start - 1] == self.gap, rows[:, start:] == self.codec.mask
        return start if bool(closed.all() and open.all()) else 0

    def _bar(self, canvases: Sequence[Canvas], ends: bool) -> Bar:
        """What must not be written: GAP, END where a text may not end, and words that lack their space."""
        codec, spaced = self.codec, torch.zeros(len(canvases), len(canvases[0].tokens), dtype=torch.bool)
        for row, canvas in zip(spaced, canvases, strict=True):
            row[list(canvas.spaced)] = True

        def bar(denoiser: TokenDenoiser, places: slice) -> TokenDenoiser:
            barred = Barred(denoiser, [codec.gap] if ends else [codec.gap, codec.end])
            here = spaced[:, places]
            return Barred(barred, codec.suffixes, here) if bool(here.any()) else barred

        return bar

    def _walk_blocks(
        self, sampler: Any, grid: Tensor, canvas: Tensor, cond: Condition, rng: Noise, bar: Bar
    ) -> Iterator[Step]:
        network, process = self.denoiser.network, self.denoiser.process
        assert isinstance(network, TextTransformer) and isinstance(process, MaskedProcess)
        return walk_blocks(
            network,
            process,
            sampler,
            grid,
            canvas,
            cond,
            context=self.spec.context,
            end=self.codec.end,
            bar=bar,
            rng=rng,
        )

    def _steered(
        self, x: Tensor, labels: Sequence[int] | None, writing: Writing
    ) -> tuple[TokenDenoiser, Condition]:
        denoiser: Any = self._seeing(x.shape[1])
        if self.encoder is None:
            return denoiser, NONE
        cond, null = self._told(len(x), labels), self.encoder.null(len(x))
        if writing.guidance != 1.0:
            denoiser = ClassifierFree(denoiser, null, writing.guidance)
        return denoiser, cond

    def _seeing(self, length: int) -> MaskedDenoiser | UniformDenoiser:
        """The denoiser, for canvases of a length: see ``Amid``."""
        network, process = self.denoiser.network, self.denoiser.process
        short = self.layout.packed and self.whole and length < self.spec.context
        if short and isinstance(process, MaskedProcess) and isinstance(network, TextTransformer):
            return self.denoiser.onto(Amid(network, self.spec.context, process.mask))
        return self.denoiser

    def blockwise(self, x: Tensor) -> MaskedDenoiser:
        """The denoiser of a model with blocks, each of them behind the true ones of x (B, L)."""
        network, denoiser = self.denoiser.network, self.denoiser
        assert isinstance(network, TextTransformer) and isinstance(denoiser, MaskedDenoiser)
        return denoiser.onto(Blockwise(network, x))

    def _told(self, count: int, labels: Sequence[int] | None) -> Condition:
        if self.encoder is None:
            return NONE
        asked = torch.full((count,), -1) if labels is None else torch.tensor(list(labels))
        cond: Condition = self.encoder(asked.to(self.device))
        return cond

    @torch.inference_mode()
    def guess(self, x: Tensor, blank: Tensor, labels: Sequence[int] | None = None) -> Tensor:
        """The most likely tokens where ``blank``, all at once; arguments as for ``without``."""
        return torch.where(blank, self.without(x, blank, labels).guess.cpu(), x)

    def without(self, x: Tensor, blank: Tensor, labels: Sequence[int] | None = None) -> CategoricalPosterior:
        """What the other tokens say where ``blank``: there, MASK or, for uniform noise, any token is shown.

        At time 1, when a token says nothing of what it was.

        Args:
            x: tokens, (B, L).
            blank: which are not to be looked at, (B, L), bool.
            labels: a class number each, -1 for any; None is any for all.
        """
        cond = self._told(len(x), labels)
        noise = self.denoiser.process.prior(x.shape, Noise(0))
        x_t = torch.where(blank, noise, x).to(self.device)
        seeing, t = self._seeing(x.shape[1]), torch.ones((), dtype=torch.float64)
        posterior: CategoricalPosterior = seeing(x_t, t, cond)
        return posterior

    # ---- settings ---------------------------------------------------------------------------------

    def settings(self, **changes: Any) -> Writing:
        """The model's own settings with some changed; None means unchanged.

        Raises:
            SampleError: for an unknown setting or sampler, or guidance without classes.
        """
        wanted = {name: value for name, value in changes.items() if value is not None}
        chosen = choose_writing(self.spec.sampling, wanted, TOKEN_SAMPLERS)
        if chosen.guidance != 1.0 and self.encoder is None:
            raise SampleError("Guidance needs a model with classes; this one has none. Leave it out.")
        if chosen.guidance != 1.0 and self.block:
            raise SampleError("A model that writes block by block takes no guidance. Leave it out.")
        sampler = self._sampler(chosen)
        if chosen.no_repeat:
            sampler = Unrepeated(sampler, chosen.no_repeat)
        sampler.check(self.denoiser.process, chosen.steps)
        return chosen

    def choose_labels(self, n: int, label: str | int | Sequence[str | int] | None = None) -> list[int] | None:
        """One class number for each of n texts; None for a model without classes.

        Raises:
            SampleError: if a label does not exist, or their number is not n.
        """
        return choose_labels(self.spec.classes, n, label)

    def length(self, wanted: int | None = None) -> int:
        """Tokens of a canvas.

        Raises:
            SampleError: if the model cannot see so many at once, and does not write block by block.
        """
        if wanted is not None and not (wanted > 1 and (self.block or wanted <= self.spec.context)):
            raise SampleError(
                f"A canvas of {wanted} tokens: this model sees 2 to {self.spec.context} tokens at once. "
                "For longer texts, train one that writes block by block: --set network.block=16"
            )
        return wanted or self.spec.context


def part_of(progress: Progress, number: int, count: int) -> Progress:
    """Tells of one of several parts as a part of all."""
    return lambda done, total: progress(number * total + done, count * total)
