"""A model of text: tokens in, more and more of them hidden, a network that names them, text out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unfog.codec.tokens import TokenCodec
from unfog.condition import NONE, Condition, LabelEncoder
from unfog.config import nearest
from unfog.denoise.categorical import MaskedDenoiser, TokenDenoiser, UniformDenoiser
from unfog.errors import ModelError, SampleError
from unfog.guide import ClassifierFree, Given
from unfog.model.base import Model
from unfog.model.blocks import walk_blocks
from unfog.model.canvas import Canvas, beginning, beneath, between, encoded, guesses, pieces_of
from unfog.nets import TEXT_NETWORKS
from unfog.nets.text import TextTransformer
from unfog.process import KEEPS, DiscreteProcess, MaskedProcess, UniformProcess
from unfog.rng import Noise
from unfog.sample import TOKEN_SAMPLERS, Step, even, trajectory
from unfog.spec import Writing, build_part, choose_labels, choose_writing
from unfog.spec.text import TextSpec

TOKENS_FILE = "tokens.json"
TOKENS_AT_ONCE = 16_384  # how many tokens are written together, which bounds memory

Progress = Callable[[int, int], None]


def process_for(options: Mapping[str, Any], vocabulary: int) -> DiscreteProcess:
    """The process that plain options name, for K tokens of which the last is MASK.

    Raises:
        ModelError: if there is no such process or schedule.
    """
    options = dict(options)
    kind, keep = options.pop("kind", "masked"), options.pop("keep", "linear")
    if keep not in KEEPS:
        raise ModelError(f"There is no schedule of keeping {keep!r}. {nearest(keep, KEEPS)}")
    schedule = build_part(KEEPS[keep], options, f"schedule {keep!r}")
    if kind == "masked":
        return MaskedProcess(vocabulary, schedule)
    if kind == "uniform":  # exchanges tokens for others, and has no MASK
        return UniformProcess(vocabulary - 1, schedule)
    raise ModelError(f"There is no process of tokens {kind!r}. {nearest(kind, ('masked', 'uniform'))}")


class TextModel(Model):
    """A model that writes.

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
        self.encoder = LabelEncoder(len(spec.classes), config.vector) if spec.classes else None
        if isinstance(process, MaskedProcess):
            self.denoiser = MaskedDenoiser(build(config), process)
        else:
            assert isinstance(process, UniformProcess)
            # the network sees no clock; what the own token says of itself does depend on the time
            self.denoiser = UniformDenoiser(build(config), process, adds_own=True)
        self.block, self.masked = int(config.block), isinstance(process, MaskedProcess)
        if self.block and not self.masked:
            raise ModelError("Only masked diffusion writes block by block: leave network.block out.")

    @classmethod
    def read(cls, folder: Path, description: dict[str, Any]) -> TextModel:
        """See ``Model.read``."""
        known = {f.name for f in fields(TextSpec)}
        values = {name: value for name, value in description.items() if name in known}
        values["sampling"] = build_part(Writing, values.get("sampling", {}), "sampling")
        for name in ("classes", "tasks"):
            values[name] = tuple(values.get(name, ()))
        try:
            text = (folder / TOKENS_FILE).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(
                f"{folder / TOKENS_FILE} cannot be read ({error}). Restore it from a copy, or train again."
            ) from None
        if tokens_hash(text) != values["tokens"]:
            raise ModelError(
                f"{folder / TOKENS_FILE} was changed after it was made. "
                "Restore it from a copy, or train again."
            )
        return cls(TextSpec(**values), TokenCodec.from_json(text), description.get("history", []))

    def files(self) -> Mapping[str, str]:
        """The tokens, beside the weights."""
        return {TOKENS_FILE: self.codec.to_json()}

    # ---- writing ----------------------------------------------------------------------------------

    def generate(
        self,
        n: int = 8,
        *,
        prompt: str = "",
        label: str | int | Sequence[str | int] | None = None,
        length: int | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        **settings: Any,
    ) -> list[str]:
        """New texts.

        Args:
            n: how many.
            prompt: what all of them begin with; part of what is returned.
            label: a class for all, or one for each; classes take turns when left out.
            length: tokens of the canvas; what the model sees at once when left out.
            seed: text i of a seed is the same whatever n is.
            progress: called with steps done and steps in all.
            **settings: fields of ``Writing``, and options of the sampler, to change.

        Returns:
            n strings.
        """
        canvas = beginning(self.codec, prompt, self.length(length))
        return self.write([canvas] * n, label=label, seed=seed, progress=progress, **settings)

    def infill(
        self,
        template: str,
        n: int = 1,
        *,
        blank: int | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        **settings: Any,
    ) -> list[str]:
        """A text with its blanks filled.

        Where the length of the blanks is free, texts with blanks of several lengths are written, and of each
        seed the one is kept whose blanks the model finds likeliest, by the mean over their tokens and the
        two around them of log p(token | all others).

        Args:
            template: text in which three or more underscores mark each blank.
            n: how many versions.
            blank: tokens in each blank; free when left out.
            seed: version i of a seed is the same whatever n is.
            progress: called with steps done and steps in all.
            **settings: as for ``generate``.
        """
        pieces, whole = pieces_of(template), self.spec.context
        room = whole - 1 - sum(len(encoded(self.codec, piece)) for piece in pieces)
        count = len(pieces) - 1
        sizes = [[blank] * count] if blank else guesses(count, room)
        canvases = [between(self.codec, pieces, size, whole, filled=not self.spec.packed) for size in sizes]
        found: list[tuple[Tensor, list[str]]] = []
        for number, canvas in enumerate(canvases):

            def told(done: int, total: int, number: int = number) -> None:
                if progress:
                    progress(number * total + done, len(canvases) * total)

            tokens = self.written([canvas] * n, seed=seed, progress=told, **settings)
            found.append((self._likely(tokens, canvas), self._texts(tokens, canvas)))
        best = torch.stack([score for score, _ in found]).argmax(0).tolist()
        return [found[which][1][i] for i, which in enumerate(best)]

    def summarize(self, source: str, n: int = 1, *, seed: int = 0, **settings: Any) -> list[str]:
        """What a text says in short.

        Raises:
            SampleError: if the model was not trained on pairs, or the text is too long.
        """
        self.check_task("summarize")
        canvas = beneath(self.codec, source, self.spec.context)
        return self.write([canvas] * n, seed=seed, **settings)

    def rewrite(self, text: str, strength: float, n: int = 1, *, seed: int = 0, **settings: Any) -> list[str]:
        """A text with a share of it forgotten and written anew: noised to a level, and back.

        Args:
            text: what to start from.
            strength: share of the tokens to forget, above 0 and up to 1.
            n: how many versions.
            seed: version i of a seed is the same whatever n is.
            **settings: as for ``generate``.
        """
        if not 0 < strength <= 1:
            raise SampleError(f"A strength of {strength:g}: give a share from above 0 to 1, e.g. 0.5.")
        canvas = between(self.codec, [text], [], self.spec.context, filled=not self.spec.packed)
        process = self.denoiser.process
        t = process.keep.time(torch.tensor(1 - strength, dtype=torch.float64))
        rows = canvas.tokens.expand(n, -1)
        noise = Noise.for_pictures(seed, range(n))
        lost = process.corrupt(rows, t, noise)
        lost = torch.where(rows == self.codec.end, rows, lost)
        noised = [Canvas(row) for row in lost]
        return self.write(noised, seed=seed, start=float(t), **settings)

    def write(self, canvases: Sequence[Canvas], **settings: Any) -> list[str]:
        """Texts on these canvases; arguments as for ``written``."""
        tokens = self.written(canvases, **settings)
        return [
            text
            for row, canvas in zip(tokens, canvases, strict=True)
            for text in self._texts(row[None], canvas)
        ]

    def written(
        self,
        canvases: Sequence[Canvas],
        *,
        label: str | int | Sequence[str | int] | None = None,
        seed: int = 0,
        start: float = 1.0,
        progress: Progress | None = None,
        **settings: Any,
    ) -> Tensor:
        """Tokens on these canvases, (n, L), int64.

        Args:
            canvases: of one length.
            label: see ``generate``.
            seed: of the request.
            start: the time that the canvases are at; 1 is all noise.
            progress: called with steps done and steps in all.
            **settings: see ``generate``.
        """
        n, writing = len(canvases), self.settings(**settings)
        labels = self.choose_labels(n, label)
        size = max(1, TOKENS_AT_ONCE // len(canvases[0].tokens))
        batches, parts = range(0, n, size), []
        for number, first in enumerate(batches):
            indices = range(first, min(first + size, n))
            rows = [canvases[i] for i in indices]
            chosen = None if labels is None else [labels[i] for i in indices]
            last = torch.stack([row.tokens for row in rows])
            for done, total, step in self.walk(
                indices, rows, chosen, seed=seed, writing=writing, start=start
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
    ) -> Iterator[tuple[int, int, Step]]:
        """The way of one batch from noise to text: steps done, steps in all, and the step.

        Args:
            indices: numbers of the texts in the request of this seed.
            canvases: one for each.
            labels: one class number each, or None.
            seed: of the request.
            writing: settings; the model's own when left out.
            start: the time that the canvases are at.
        """
        writing = writing or self.spec.sampling
        options = {"temperature": writing.temperature, "top_p": writing.top_p, **writing.options}
        sampler = TOKEN_SAMPLERS[writing.sampler](**options)
        rng, canvas = Noise.for_pictures(seed, indices), torch.stack([c.tokens for c in canvases])
        x = canvas.to(self.device)
        given = x != self.codec.mask
        if isinstance(self.denoiser, UniformDenoiser):
            x = torch.where(given, x, self.denoiser.process.prior(x.shape, rng).to(x))
        was_training = self.training
        self.eval()
        try:
            denoiser, cond = self._steered(len(x), labels, writing)
            grid, total = even(writing.steps, start), writing.steps
            if self.block:
                total *= -(-x.shape[1] // self.block)
                way = self._walk_blocks(sampler, grid, x, cond, rng)
            else:
                if start == 1.0 and bool(given.any()):
                    denoiser = Given(denoiser, x, given)
                way = trajectory(denoiser, sampler, grid, x, cond, rng=rng)
            for step in way:
                yield min(step.index + 1, total), total, step
        finally:
            self.train(was_training)

    def _walk_blocks(
        self, sampler: Any, grid: Tensor, canvas: Tensor, cond: Condition, rng: Noise
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
            rng=rng,
        )

    def _steered(
        self, count: int, labels: Sequence[int] | None, writing: Writing
    ) -> tuple[TokenDenoiser, Condition]:
        denoiser: Any = self.denoiser
        if self.encoder is None:
            return denoiser, NONE
        asked = torch.full((count,), -1) if labels is None else torch.tensor(labels)
        cond, null = self.encoder(asked.to(self.device)), self.encoder.null(count)
        if writing.guidance != 1.0:
            denoiser = ClassifierFree(denoiser, null, writing.guidance)
        return denoiser, cond

    @torch.inference_mode()
    def _likely(self, tokens: Tensor, canvas: Canvas) -> Tensor:
        """Mean log p(token | all others) of what was written and the tokens around it, (n,)."""
        open = ~canvas.given(self.codec.mask)
        near = open | torch.roll(open, 1) | torch.roll(open, -1)
        places = near.nonzero()[:, 0]
        found = torch.zeros(len(tokens))
        for row, each in enumerate(tokens):
            asked = each.expand(len(places), -1).clone()
            asked[torch.arange(len(places)), places] = self.codec.mask
            posterior = self.denoiser(asked.to(self.device), torch.tensor(0.5))
            found[row] = float(-posterior.divergence(each.expand_as(asked).to(self.device)).mean())
        return found

    @torch.inference_mode()
    def guess(self, x: Tensor, blank: Tensor) -> Tensor:
        """The most likely tokens where ``blank``, all at once; x and blank are (B, L)."""
        x_t = x.masked_fill(blank, self.codec.mask) if self.masked else x
        posterior = self.denoiser(x_t.to(self.device), torch.tensor(0.5))
        return torch.where(blank, posterior.guess.cpu(), x)

    def _texts(self, tokens: Tensor, canvas: Canvas) -> list[str]:
        return self.codec.decode_many(tokens[:, canvas.start :])

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
        options = {"temperature": chosen.temperature, "top_p": chosen.top_p, **chosen.options}
        TOKEN_SAMPLERS[chosen.sampler](**options).check(self.denoiser.process, chosen.steps)
        return chosen

    def choose_labels(self, n: int, label: str | int | Sequence[str | int] | None = None) -> list[int] | None:
        """One class number for each of n texts; None for a model without classes.

        Raises:
            SampleError: if a label does not exist, or their number is not n.
        """
        return choose_labels(self.spec.classes, n, label)

    def check_task(self, task: str) -> None:
        """Refuse what the model was not trained for.

        Raises:
            SampleError: saying how to train one that can.
        """
        if task not in self.spec.tasks:
            raise SampleError(
                "This model was not trained to summarise: its data had no pairs of text and summary. "
                "Train one on pairs: unfog train language --data synopses"
            )

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


def tokens_hash(text: str) -> str:
    """SHA-256 of ``tokens.json``."""
    return hashlib.sha256(text.encode()).hexdigest()
