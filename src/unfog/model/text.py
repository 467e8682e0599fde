"""A model of text: what people ask of it, put on canvases of tokens, and read off them as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unfog.errors import SampleError
from unfog.model.canvas import Canvas, encoded, guesses, pieces_of
from unfog.model.tokens import Progress, TokenModel, part_of
from unfog.process import MaskedProcess
from unfog.rng import Noise

# what a summary is to say is given: the surest token first, and little by chance
SUMMARY = {"sampler": "confidence", "temperature": 0.3}


class TextModel(TokenModel):
    """A model that writes."""

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
        canvas = self.layout.beginning(prompt, self.length(length))
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
        pieces = pieces_of(template)
        room = self.spec.context - 2 - sum(len(encoded(self.codec, piece)) for piece in pieces)
        count = len(pieces) - 1
        sizes = [[blank] * count] if blank else guesses(count, room)
        canvases = [self.layout.between(pieces, size) for size in sizes]
        found: list[tuple[Tensor, list[str]]] = []
        for number, canvas in enumerate(canvases):
            told = progress and part_of(progress, number, len(canvases))
            tokens = self.written([canvas] * n, seed=seed, ends=False, progress=told, **settings)
            texts = self.codec.decode_many(tokens[:, canvas.start :])
            found.append((self._likely(tokens, canvas), texts))
        best = torch.stack([score for score, _ in found]).argmax(0).tolist()
        return [found[which][1][i] for i, which in enumerate(best)]

    def summarize(self, source: str, n: int = 1, *, seed: int = 0, **settings: Any) -> list[str]:
        """What a text says in short; by ``for_summary``.

        Raises:
            SampleError: if the model was not trained on pairs, or the text is too long.
        """
        self.check_task("summarize")
        canvas = self.layout.beneath(source)
        return self.write([canvas] * n, seed=seed, **self.for_summary(**settings))

    def for_summary(self, **settings: Any) -> dict[str, Any]:
        """Settings of a summary: those given, and ``SUMMARY`` where nothing is."""
        given = {name: value for name, value in settings.items() if value is not None}
        if not isinstance(self.denoiser.process, MaskedProcess):  # there, no token is kept
            return {"temperature": SUMMARY["temperature"], **given}
        return {**SUMMARY, **given}

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
        canvas = self.layout.between([text])
        process = self.denoiser.process
        t = process.keep.time(torch.tensor(1 - strength, dtype=torch.float64))
        rows = canvas.tokens.expand(n, -1)
        noise = Noise.for_pictures(seed, range(n))
        lost = process.corrupt(rows, t, noise)
        lost = torch.where(rows == self.codec.end, rows, lost)
        noised = [Canvas(row, canvas.start) for row in lost]
        return self.write(noised, seed=seed, start=float(t), ends=False, **settings)

    def write(
        self,
        canvases: Sequence[Canvas],
        *,
        label: str | int | Sequence[str | int] | None = None,
        progress: Progress | None = None,
        **settings: Any,
    ) -> list[str]:
        """Texts on these canvases, which may differ in length; arguments as for ``written``."""
        labels, texts = self.choose_labels(len(canvases), label), [""] * len(canvases)
        alike: dict[int, list[int]] = {}
        for number, canvas in enumerate(canvases):
            alike.setdefault(len(canvas.tokens), []).append(number)
        for done, numbers in enumerate(alike.values()):
            tokens = self.written(
                [canvases[i] for i in numbers],
                numbers=numbers,
                label=None if labels is None else [labels[i] for i in numbers],
                progress=progress and part_of(progress, done, len(alike)),
                **settings,
            )
            for number, row in zip(numbers, tokens, strict=True):
                texts[number] = self.codec.decode(row[canvases[number].start :])
        return texts

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

    @torch.inference_mode()
    def _likely(self, tokens: Tensor, canvas: Canvas) -> Tensor:
        """Mean log p(token | all others) of what was written and the tokens around it, (n,)."""
        open = ~canvas.given(self.codec.mask)
        near = open | torch.roll(open, 1) | torch.roll(open, -1)
        near[: canvas.start] = False
        asked = torch.eye(len(near), dtype=torch.bool)[near]
        found = torch.zeros(len(tokens))
        for row, each in enumerate(tokens):
            posterior = self.without(each.expand_as(asked), asked)
            rows = posterior.rows[asked.to(posterior.open)[posterior.open]]
            found[row] = float(rows.gather(1, each[near].to(rows.device)[:, None]).mean())
        return found
