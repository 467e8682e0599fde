"""A model of text: what people ask of it, put on canvases of tokens, and read off them as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from unfog.errors import SampleError
from unfog.model.blanks import choose, evidence, guesses
from unfog.model.canvas import Canvas, encoded, pieces_of
from unfog.model.tokens import Progress, TokenModel, part_of
from unfog.process import MaskedProcess
from unfog.rng import Noise, derive_seed

# what a summary is to say is given: the surest token first, and little by chance
SUMMARY: dict[str, Any] = {"sampler": "confidence", "temperature": 0.3}


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
        label: str | int | Sequence[str | int] | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        **settings: Any,
    ) -> list[str]:
        """A text with its blanks filled.

        Where the length of the blanks is free, it is settled first, by what follows them: see
        ``model/blanks.py``.

        Args:
            template: text in which three or more underscores mark each blank.
            n: how many versions.
            blank: tokens in each blank; free when left out.
            label: see ``generate``.
            seed: version i of a seed is the same whatever n is.
            progress: called with steps done and steps in all.
            **settings: as for ``generate``.
        """
        pieces = pieces_of(template)
        room = self.spec.context - 2 - sum(len(encoded(self.codec, piece)) for piece in pieces)
        count = len(pieces) - 1
        sizes = [[blank] * count] if blank else guesses(count, room)
        canvases = [self.layout.between(pieces, size) for size in sizes]
        rows = canvases * n
        if len(canvases) > 1:
            each: Sequence[int | None] = self.choose_labels(n, label) or [None] * n
            mask, rng = self.codec.mask, Noise.for_pictures(derive_seed(seed, "blanks"), range(n))
            fits = {one: [evidence(self, canvas, mask, one) for canvas in canvases] for one in set(each)}
            chosen = choose([fits[one] for one in each], self.settings(**settings).temperature, rng)
            rows = [canvases[i] for i in chosen]
        return self.write(rows, label=label, seed=seed, ends=False, progress=progress, **settings)

    def summarize(self, source: str, n: int = 1, *, seed: int = 0, **settings: Any) -> list[str]:
        """What a text says in short; by ``for_summary``.

        Raises:
            SampleError: if the model was not trained on pairs, or the text is too long.
        """
        self.check_task("summarize")
        canvas = self.layout.beneath(source)
        return self.write([canvas] * n, seed=seed, **self.for_summary(**settings))

    def for_summary(self, **settings: Any) -> dict[str, Any]:
        """Settings of a summary: those given, and where nothing is and none were measured, ``SUMMARY``.

        What a summary seldom says twice is said once: see ``TextSpec.once``.
        """
        given = {name: value for name, value in settings.items() if value is not None}
        if any(event.get("event") == "steps" for event in self.history):  # see ``recipes/steps_text.py``
            return given
        if not isinstance(self.denoiser.process, MaskedProcess):  # there, no token is kept
            return {"temperature": SUMMARY["temperature"], **given}
        own = {"temperature": SUMMARY["temperature"]} if self.block else SUMMARY
        return {**own, "no_repeat": self.spec.once, **given}

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
