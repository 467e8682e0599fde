"""The way back canvas by canvas: every order with how sure each token was, and few steps beside many."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from unfog.model import TextModel
from unfog.output.explained_text import Attempt, Canvas, Order
from unfog.process import MaskedProcess
from unfog.recipes.explain_text_subject import TextSubject, cells_of
from unfog.recipes.listen import Listener
from unfog.recipes.second_look import second_look, written_places
from unfog.recipes.steps_text import fitting
from unfog.recipes.text_bench import Needed
from unfog.sample import Step
from unfog.spec import Writing

ORDER_STEPS = 12  # of each order
ROWS = 8  # canvases of each
ATTEMPTS = (1, 2, 4, 8, 16, 32, 64)  # steps
COMPARED = ("ancestral", "confidence")  # samplers whose few and many steps are shown
LOOKED = 64  # tokens at the second look


@torch.inference_mode()
def walk_orders(subject: TextSubject, seed: int, listener: Listener) -> list[Order]:
    """The same seed in each order that fits the model, in the same number of steps."""
    names, found = fitting(subject.model), []
    for done, name in enumerate(names):
        listener.phase("Writing in every order", done, len(names))
        found.append(_walk(subject, name, seed))
    return found


def order_steps(model: TextModel) -> int:
    """Steps of each order; no more than a block has tokens."""
    return min(ORDER_STEPS, model.block) if model.block else ORDER_STEPS


def _walk(subject: TextSubject, name: str, seed: int) -> Order:
    """One order; guidance is off, so that what is shown are the model's own probabilities."""
    model, start = subject.model, subject.canvas.start
    process = model.denoiser.process
    needed, moments = Needed(model), list[tuple[float, Tensor, Tensor]]()
    sure = torch.ones(len(subject.canvas.tokens))
    for step in _steps(subject, plain(model, name, order_steps(model)), seed):
        needed.see(step.t, step.x_t, step.x_s)
        if not moments:
            moments.append((step.t, step.x_t[0].cpu(), sure))
        sure = torch.where((step.x_s[0] != step.x_t[0]).cpu(), _certainty(subject, step), sure)
        moments.append((step.s, step.x_s[0].cpu(), sure))
    chosen = torch.linspace(0, len(moments) - 1, min(ROWS, len(moments))).round().long().tolist()
    open, canvases = subject.canvas.tokens == model.codec.mask, list[Canvas]()
    before: Tensor | None = None
    for t, row, certain in (moments[i] for i in chosen):
        new = None if before is None else (row != before) & (row != model.codec.mask)
        there = (row != model.codec.mask) if isinstance(process, MaskedProcess) else None
        share = float(process.share(t)) if there is None else float(there[open].float().mean())
        cells = cells_of(
            model.codec, row[start:], new=None if new is None else new[start:], sure=certain[start:]
        )
        canvases.append(Canvas(t=t, share=share, cells=cells))
        before = row
    return Order(name=name, calls=int(needed.calls[0]), canvases=canvases)


def _steps(subject: TextSubject, writing: Writing, seed: int) -> list[Step]:
    return [
        step
        for _, _, step in subject.model.walk([0], [subject.canvas], subject.own, seed=seed, writing=writing)
    ]


def _certainty(subject: TextSubject, step: Step) -> Tensor:
    """How probable the model thought each token of x_s just before, (L,); 1 where nothing was to say."""
    certain = torch.ones(step.x_s.shape[1])
    if step.t == 0.0:
        return certain
    posterior = subject.ask(step.x_t, torch.tensor(step.t, dtype=torch.float64), subject.own)
    named = posterior.open & (step.x_s < posterior.rows.shape[1])
    rows = posterior.rows[named[posterior.open]]
    certain[named[0].cpu()] = rows.gather(1, step.x_s[named][:, None])[:, 0].exp().float().cpu()
    return certain


@torch.inference_mode()
def compare_steps(subject: TextSubject, seed: int, listener: Listener) -> dict[str, list[Attempt]]:
    """The same seed in few and in many steps, by the model's own sampler and those that differ most."""
    model = subject.model
    fit, own = fitting(model), model.spec.sampling.sampler
    names = list(dict.fromkeys(name for name in (*COMPARED, own) if name in fit))
    places = model.block or int((subject.canvas.tokens == model.codec.mask).sum())
    counts = sorted({*(count for count in ATTEMPTS if count < places), min(places, ATTEMPTS[-1])})
    found: dict[str, list[Attempt]] = {}
    for name in names:
        for done, count in enumerate(counts):
            listener.phase(f"Few steps and many, {name}", done, len(counts))
            found.setdefault(name, []).append(_attempt(subject, plain(model, name, count), seed))
    return found


def _attempt(subject: TextSubject, writing: Writing, seed: int) -> Attempt:
    model, needed = subject.model, Needed(subject.model)
    steps = _steps(subject, writing, seed)
    for step in steps:
        needed.see(step.t, step.x_t, step.x_s)
    text = steps[-1].x_s[0].cpu()
    places = written_places(subject.canvas.tokens, text, model.codec.mask, model.codec.end)
    some = places[torch.linspace(0, len(places) - 1, min(LOOKED, len(places))).round().long()]
    return Attempt(
        steps=writing.steps,
        calls=int(needed.calls[0]),
        text=model.codec.decode(text[subject.canvas.start :]),
        bits=float(second_look(model, text[None], some[None], subject.own).mean()),
    )


def plain(model: TextModel, sampler: str, steps: int) -> Writing:
    """A way of writing by the model's own law: no guidance, temperature 1, everything possible."""
    own = model.spec.sampling
    return replace(own, sampler=sampler, steps=steps, options={}, guidance=1.0, temperature=1.0, top_p=1.0)
