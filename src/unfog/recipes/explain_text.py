"""A model of text made visible: everything that ``unfog explain`` computes for its page."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unfog.denoise.categorical import CategoricalPosterior
from unfog.model import MODELS, TextModel, home, load_text
from unfog.output.explain_text import write_text_explanation
from unfog.output.explained_text import Canvas, Guess, TextExplanation, TextLosses
from unfog.output.words import words
from unfog.process import KEEPS, SCHEDULES
from unfog.recipes.explain import Explained, command, name_of
from unfog.recipes.explain_text_subject import TextSubject, cells_of, open_text
from unfog.recipes.explain_text_walks import compare_steps, order_steps, walk_orders
from unfog.recipes.listen import Listener, Silent
from unfog.recipes.second_look import second_look
from unfog.rng import Noise, derive_seed
from unfog.spec.parts import describe

MOMENTS = 7  # of the text that is forgotten
NEAR = (0, 1, 2, 4, 8)  # neighbours on each side that can be seen, and then all
AROUND = 14  # tokens on each side of the place that are shown
LISTED = 5  # guesses
TRIED = 48  # places of which the most telling one is shown
PARTS = 10  # of the shares that can be lost
BATCH = 16
POINTS = 101  # of the curves


def is_of_text(subject: str) -> bool:
    """Whether a subject of ``unfog explain`` is a folder with a model of text.

    Raises:
        ModelError: if it is a folder with something else that is no model either.
    """
    if subject in SCHEDULES or not Path(subject).is_dir():
        return False
    return MODELS.get(str(describe(home(subject)).get("recipe"))) is TextModel


def explain_text(
    subject: str,
    out: str | Path,
    *,
    lang: str = "en",
    data: str | None = None,
    seed: int = 0,
    listener: Listener | None = None,
) -> Explained:
    """Write the page of a model of text.

    Args:
        subject: folder of a model or run.
        out: the HTML file.
        lang: "en" or "zh".
        data: the texts it learned from: it is then asked about held-out ones instead of its own.
        seed: of all noise.
        listener: is told about progress.

    Raises:
        UnfogError: if the model or the data cannot be used, or the page cannot be written.
    """
    words(lang)
    listener, started = listener or Silent(), time.perf_counter()
    asked = open_text(load_text(subject), data, seed, listener)
    page = gather(asked, name_of(Path(subject)), seed, listener)
    page.command = command(subject, out, lang, data, seed)
    path = write_text_explanation(out, page, lang=lang)
    values = figures_of(page) | {"page": str(path), "seconds": round(time.perf_counter() - started, 2)}
    return Explained(path, values)


@torch.inference_mode()
def gather(subject: TextSubject, title: str, seed: int, listener: Listener) -> TextExplanation:
    """Everything on the page, in its order."""
    model = subject.model
    truth, guesses = ask_with_neighbours(subject)
    keep = str(model.spec.process.get("keep", "linear"))
    return TextExplanation(
        title=title,
        kind=str(model.spec.process.get("kind", "masked")),
        keep=keep,
        block=model.block,
        origin=subject.origin,
        source=subject.source,
        other_data=subject.other,
        weights=model.count_parameters(),
        vocabulary=model.codec.vocabulary,
        tokens=model.codec.kind,
        context=model.spec.context,
        label="" if subject.label is None else model.spec.classes[subject.label],
        given=subject.given,
        curves=curves(subject, keep),
        forward=forget(subject, seed),
        truth=truth,
        guesses=guesses,
        orders=walk_orders(subject, seed, listener),
        steps=order_steps(model),
        attempts=compare_steps(subject, seed, listener),
        losses=weigh_shares(subject, seed, listener),
        made_by={"model (SHA-256)": model.fingerprint()},
    )


def curves(subject: TextSubject, own: str) -> dict[str, np.ndarray]:
    """alpha over time of every schedule with its default options, and of the model with its own."""
    t = torch.linspace(0, 1, POINTS, dtype=torch.float64)
    found = {own: subject.model.denoiser.process.share(t).numpy()}
    return found | {name: keep().alpha(t).numpy() for name, keep in KEEPS.items() if name != own}


def forget(subject: TextSubject, seed: int) -> list[Canvas]:
    """The first text at evenly spread times; what is lost stays lost, as all use the same noise."""
    process, x, free = subject.model.denoiser.process, subject.x[:1], subject.free[:1]
    found = []
    for t in torch.linspace(0, 1, MOMENTS, dtype=torch.float64):
        lost = process.corrupt(x, t, Noise(derive_seed(seed, "forget")))
        x_t = torch.where(free, lost, x)[0, subject.start :]
        truth = x[0, subject.start :]
        cells = cells_of(subject.model.codec, x_t, truth=truth)
        found.append(Canvas(t=float(t), share=float(process.share(t)), cells=cells))
    return found


@torch.inference_mode()
def ask_with_neighbours(subject: TextSubject) -> tuple[str, list[Guess]]:
    """The true token at one place, and what the model says there while it sees more and more around it.

    The place is the one, of some, that the other tokens say most about.
    """
    model, x = subject.model, subject.x[:1]
    places = (subject.free[0] & (x[0] < model.codec.end)).nonzero()[:, 0]
    if not len(places):  # a model that writes nothing yet
        places = subject.free[0].nonzero()[:, 0]
    some = places[torch.linspace(0, len(places) - 1, min(TRIED, len(places))).round().long()]
    informed = second_look(model, x, some[None], subject.own)[0]
    blind = -_rows(model.without(x, subject.free[:1], subject.own), subject.free[:1], some)
    gain = blind.gather(1, x[0, some][:, None])[:, 0].cpu() / np.log(2) - informed
    place = int(some[int(gain.argmax())])
    reach = [size for size in NEAR if size < max(place - int(places[0]), int(places[-1]) - place)]
    found = []
    for size in (*reach, x.shape[1]):
        distance = (torch.arange(x.shape[1]) - place).abs()
        hidden = subject.free[:1] & ((distance > size) | (distance == 0))
        rows = _rows(model.without(x, hidden, subject.own), hidden, torch.tensor([place]))[0]
        x_t = x.masked_fill(hidden, model.codec.mask)[0]
        part = slice(max(subject.start, place - AROUND), place + AROUND + 1)
        best = rows.exp().topk(min(LISTED, len(rows)))
        found.append(
            Guess(
                seen=int((subject.free[:1] & ~hidden).sum()),
                cells=cells_of(model.codec, x_t[part], asked=place - part.start),
                tokens=[
                    (_shown(subject, token), float(value))
                    for value, token in zip(best.values, best.indices.tolist(), strict=True)
                ],
                true=float(rows[x[0, place]].exp()),
                entropy=float(torch.special.entr(rows.double().exp()).sum() / np.log(2)),
            )
        )
    return _shown(subject, int(x[0, place])), found


def _rows(posterior: CategoricalPosterior, hidden: Tensor, places: Tensor) -> Tensor:
    """Log-probabilities at hidden places of one text, (P, V)."""
    number = torch.full(hidden.shape, -1)
    open = posterior.open.cpu()
    number[open] = torch.arange(int(open.sum()))
    return posterior.rows[number[0, places]]


def _shown(subject: TextSubject, token: int) -> str:
    return "".join(cell.text for cell in cells_of(subject.model.codec, torch.tensor([token])))


@torch.inference_mode()
def weigh_shares(subject: TextSubject, seed: int, listener: Listener) -> TextLosses:
    """Bits for each lost token by the share that is lost; of uniform noise, for each token."""
    model, rng = subject.model, Noise(derive_seed(seed, "losses"))
    lost = (np.arange(PARTS) + 0.5) / PARTS
    bits = np.zeros(PARTS)
    for part, share in enumerate(lost):
        t = model.denoiser.process.keep.time(torch.tensor(1 - share, dtype=torch.float64))
        total, count = 0.0, 0.0
        for first in range(0, len(subject.x), BATCH):
            batch = slice(first, first + BATCH)
            cost, tokens = _cost(subject, batch, t, rng)
            total, count = total + cost, count + tokens
        bits[part] = total / max(count, 1.0) / np.log(2)
        listener.phase("Measuring the guess", part + 1, PARTS)
    lines = {"network": bits}
    if subject.counts is not None:
        shares = (subject.counts / subject.counts.sum()).log2()
        lines["frequency"] = np.full(PARTS, float(-shares[subject.x[subject.free]].mean()))
    lines["even"] = np.full(PARTS, np.log2(model.codec.vocabulary - 1))
    return TextLosses(lost=lost, lines=lines, count=len(subject.x))


def _cost(subject: TextSubject, batch: slice, t: Tensor, rng: Noise) -> tuple[float, float]:
    """Nats of some texts at one time, and of how many tokens; block by block, given the blocks before."""
    model, x, free = subject.model, subject.x[batch], subject.free[batch]
    process = model.denoiser.process
    labels = None if subject.labels is None else subject.labels[batch]
    lost = process.corrupt(x, t, rng)
    block = x.shape[1] if model.whole else model.block
    total, count = 0.0, 0
    for first in range(0, x.shape[1], block):
        places = torch.arange(x.shape[1])
        here = free & (places >= first) & (places < first + block)
        posterior = subject.ask(torch.where(here, lost, x), t, labels)
        asked = posterior.open.cpu() & here
        chosen = asked[posterior.open.cpu()]
        said = posterior.rows[chosen.to(posterior.rows.device)]
        total -= float(said.gather(1, x[asked].to(said.device)[:, None]).double().sum())
        count += int(asked.sum())
    return total, float(count)


def figures_of(page: TextExplanation) -> dict[str, Any]:
    """The figures of the page for machines."""
    return {
        "subject": page.title,
        "kind": "model",
        "process": page.kind,
        "schedule": page.keep,
        "texts": page.origin,
        "other_data": page.other_data,
        "forward": {"t": [c.t for c in page.forward], "alpha": [c.share for c in page.forward]},
        "guesses": [
            {"seen": g.seen, "true": g.true, "entropy": g.entropy, "tokens": dict(g.tokens)}
            for g in page.guesses
        ],
        "orders": [
            {"sampler": o.name, "calls": o.calls, "text": "".join(cell.text for cell in o.canvases[-1].cells)}
            for o in page.orders
        ],
        "steps": {
            name: [{"steps": a.steps, "calls": a.calls, "text": a.text, "bits": a.bits} for a in attempts]
            for name, attempts in page.attempts.items()
        },
        "loss": {
            "lost": page.losses.lost.tolist(),
            "bits": {name: line.tolist() for name, line in page.losses.lines.items()},
            "area": page.losses.area if page.kind == "masked" else None,
        },
    }
