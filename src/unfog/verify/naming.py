"""Samplers of text against the chain of ``tokens.py``: the law comes back, in whatever order tokens are
named.

Counts of sequences are judged by Pearson's chi-square: how often a right sampler would be as far off. Seeds
are fixed, so a right sampler is right every time.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from unfog.condition import NONE, Condition
from unfog.denoise import CategoricalPosterior, Denoiser, ExactTokens, MaskedDenoiser, TokenDenoiser
from unfog.guide import Given
from unfog.process import KEEPS, CosineKeep, DiscreteProcess, MaskedProcess, UniformProcess
from unfog.rng import Noise
from unfog.sample import (
    TOKEN_SAMPLERS,
    Ancestral,
    Confidence,
    Entropy,
    Exchange,
    LengthFirst,
    Remask,
    Sampler,
    Threshold,
    even,
    trajectory,
)
from unfog.sample.ordered import Ordered
from unfog.sample.tokens import drawn, tempered
from unfog.verify.check import Result, error
from unfog.verify.tokens import FIRST, LENGTH, THEN, Says, chain

COUNT = 16_000  # samples
ORDERS = ("confidence", "entropy", "margin", "threshold", "random", "reading")
LEAST = 1e-4  # chance of counts as far off as these


def walk(
    denoiser: TokenDenoiser, sampler: Sampler[Any, Any], grid: Tensor, x: Tensor, seed: int = 1
) -> list[Tensor]:
    """x at every time of the grid, each (B, L)."""
    return [x, *(step.x_s for step in trajectory(denoiser, sampler, grid, x, rng=Noise(seed)))]


def process_for(sampler: Sampler[Any, Any], keep: str = "linear") -> DiscreteProcess:
    """The process of the chain that a sampler goes back on."""
    if isinstance(sampler, Exchange):
        return UniformProcess(3, KEEPS[keep]())
    return MaskedProcess(4, KEEPS[keep]())


def chance(entry: str, x: Tensor, law: Tensor, base: int = 3) -> Result:
    """How often counts of a right sampler are as far from the law as those of x.

    Args:
        entry: what is checked.
        x: samples (N, L).
        law: probability of each sequence, in the order of counting with digits of this base, (base^L,).
        base: tokens.
    """
    number = (x * base ** torch.arange(x.shape[1] - 1, -1, -1)).sum(1)
    counts, expected = torch.bincount(number, minlength=len(law)).double(), law * len(x)
    possible = expected > 0
    beyond = 1e9 * float(counts[~possible].sum())
    squares = ((counts - expected)[possible].square() / expected[possible]).sum() + beyond
    freedom = torch.tensor((int(possible.sum()) - 1) / 2, dtype=torch.float64)
    value = float(torch.special.gammaincc(freedom, squares / 2))
    return Result(entry, value, LEAST, 1.0, "chance of such counts")


def tokens_come_back() -> Iterator[Result]:
    """Samplers that are exact in the limit of many steps; one token alone on every schedule, in any steps."""
    kinds: dict[str, Sampler[Any, Any]] = {
        "ancestral": Ancestral(),
        "remask, cap": Remask(eta=0.05),
        "remask, rescale": Remask("rescale", eta=0.05),
        "uniform": Exchange(),
    }
    for name, sampler in kinds.items():
        process = process_for(sampler)
        exact, start = chain(process), process.prior((COUNT, LENGTH), Noise(2))
        yield chance(name, walk(exact, sampler, even(100), start)[-1], exact.log_law.exp())
    for keep in KEEPS:
        for name in ("ancestral", "remask", "uniform"):
            yield from _single_tokens(f"{name}, {keep}", TOKEN_SAMPLERS[name](), keep)


def _single_tokens(entry: str, sampler: Sampler[Any, Any], keep: str) -> Iterator[Result]:
    """One token has no neighbours: one step is as exact as three, from any share that is lost."""
    process = process_for(sampler, keep)
    exact = chain(process, 1)
    for kept in ((0.0, 1.0), (0.0, 0.6, 1.0), (0.4, 0.5, 0.9, 1.0)):
        times = process.keep.time(torch.tensor(kept, dtype=torch.float64))
        start = process.corrupt(exact.draw(COUNT, Noise(3)), times[0], Noise(4))
        states = walk(exact, sampler, times, start)[1:]
        for number, (t, x) in enumerate(zip(times[1:], states, strict=True), 1):
            law = _law_at(process, FIRST, t)
            yield chance(f"{entry}, one token, step {number} of {len(kept) - 1}", x, law, len(law))


def _law_at(process: DiscreteProcess, law: Tensor, t: Tensor) -> Tensor:
    """The law of one token at t, (K,)."""
    alpha = float(process.share(t))
    if isinstance(process, UniformProcess):
        return alpha * law + (1 - alpha) / 3
    return torch.cat([alpha * law, law.new_full((1,), 1 - alpha)])


def order_keeps_the_law() -> Iterator[Result]:
    """With one token a step, exact conditionals make the exact law in every order."""
    for name in ORDERS:
        kind = TOKEN_SAMPLERS[name]
        sampler = Threshold(tau=1.0) if kind is Threshold else kind()
        for length in (LENGTH, 4):
            exact = chain(MaskedProcess(4), length)
            states = walk(exact, sampler, even(length), torch.full((COUNT, length), 3))
            left = torch.stack([(x == 3).sum(1).double() for x in states])
            counted = torch.arange(length, -1, -1).double()[:, None].expand_as(left)
            yield error(f"{name}, {length} tokens, hidden", left, counted, 0.0)
            yield chance(f"{name}, {length} tokens", states[-1], exact.log_law.exp())


def length_keeps_the_law() -> Iterator[Result]:
    """Texts that end in END: their length drawn first changes no law, and at temperature 0 is the median."""
    end, length = 2, 5
    stays = THEN.clone()
    stays[end] = torch.tensor([0.0, 0.0, 1.0])
    process = MaskedProcess(4)
    exact = ExactTokens(process, FIRST, stays, length)
    law = exact.log_law.exp()
    orders: dict[str, Ancestral | Ordered] = {"ancestral": Ancestral(), "confidence": Confidence()}
    for name, inner in (orders | {"entropy": Entropy()}).items():
        steps = 150 if name == "ancestral" else length + 2
        states = walk(exact, LengthFirst(inner, end), even(steps), torch.full((COUNT, length), process.mask))
        yield chance(f"{name}, texts", states[-1], law)
        named, ends = states[2] != process.mask, states[2] == end
        last = (named & ~ends).sum(1).double()
        closes = (ends.sum(1) < length).double()
        yield error(f"{name}, the last token at first", last, closes, 0.0)
    over = torch.stack([(law * (exact.sequences[:, i] == end)).sum() for i in range(length)])
    sure = walk(
        exact, LengthFirst(Ancestral(temperature=0.0), end), even(8), torch.full((9, length), process.mask)
    )[1]
    yield error("median", (sure == end).double(), (over > 0.5).double().expand(9, -1), 0.0)
    # what is known of a text says how long it is at least
    begun = torch.full((COUNT, length), process.mask)
    begun[:, 2] = 0
    found = walk(exact, LengthFirst(Confidence(), end), even(length + 1), begun)[-1]
    given = torch.where(exact.sequences[:, 2] == 0, law, 0.0)
    yield chance("behind what is known", found, given / given.sum())


def steps_name_their_share() -> Iterator[Result]:
    """How many tokens are hidden at each time is what the process would hide, in every order."""
    length, steps = 60, 6
    for keep in KEEPS:
        process = MaskedProcess(4, KEEPS[keep]())
        blank = MaskedDenoiser(Says(torch.zeros(length, 4)), process)
        grid = process.keep.time(torch.linspace(0.1, 1, steps + 1, dtype=torch.float64) ** 2)
        lost = process.scales(grid)[1]
        x = process.corrupt(torch.zeros(500, length, dtype=torch.long), grid[0], Noise(1))
        samplers: dict[str, Sampler[Any, Any]] = {n: TOKEN_SAMPLERS[n]() for n in (*ORDERS, "ancestral")}
        samplers |= {"cap": Remask(eta=0.4), "rescale": Remask("rescale", eta=0.4)}
        for name, sampler in samplers.items():
            states = walk(blank, sampler, grid, x)
            left = torch.stack([(state == 3).double().mean() for state in states])
            yield error(f"{name}, {keep}", left, lost, 5 * 0.5 / (500 * length) ** 0.5 + 0.5 / length)
            for (before, after), (t, s) in zip(pairwise(states), pairwise(grid), strict=True):
                if name in ORDERS:  # the share of every text, rounded
                    many = (before == 3).sum(1).double()
                    named = many - (after == 3).sum(1)
                    wanted = many * float((process.share(s) - process.share(t)) / (1 - process.share(t)))
                    yield error(f"{name}, {keep}, to t = {float(s):.2g}", named, wanted, 0.5 + 1e-6)
                if isinstance(sampler, Remask):
                    yield _hidden_again(
                        f"{name}, {keep}", sampler, process, before, after, float(t), float(s)
                    )


def _hidden_again(
    entry: str, sampler: Remask, process: MaskedProcess, before: Tensor, after: Tensor, t: float, s: float
) -> Result:
    """The share of visible tokens that a step hides, against sigma of the paper."""
    kept_t, kept_s = (float(process.share(time)) for time in (t, s))
    most = min(1.0, (1 - kept_s) / kept_t)
    sigma = most * sampler.eta if sampler.kind == "rescale" else min(most, sampler.eta)
    visible = before != process.mask
    found = float((after[visible] == process.mask).double().mean())
    limit = 5 * 0.5 / float(visible.sum()) ** 0.5
    return Result(f"{entry}, to t = {s:.2g}", found, sigma - limit, sigma + limit, "share hidden again")


class _Fixed(Denoiser[MaskedProcess, CategoricalPosterior]):
    """Says the same probabilities (L, V) of hidden tokens, whatever is visible; counts its calls."""

    def __init__(self, probs: list[list[float]]) -> None:
        super().__init__()
        self.probs = torch.tensor(probs, dtype=torch.float64)
        self.process, self.calls = MaskedProcess(self.probs.shape[1] + 1), 0

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> CategoricalPosterior:
        self.calls += 1
        open = x_t == self.process.mask
        rows = self.probs.log().expand(*x_t.shape, -1)[open]
        return CategoricalPosterior(rows, x_t, open, self.process.vocabulary)


def surest_come_first() -> Iterator[Result]:
    """Which position of three each order names first, which ones a threshold does, and how often it asks."""
    # the largest probability, the smallest entropy and the largest lead are at three different positions
    probs = [[0.55, 0.45, 0.0, 0.0], [0.58, 0.14, 0.14, 0.14], [0.66, 0.32, 0.01, 0.01]]
    for name, place in (("confidence", 2), ("entropy", 0), ("margin", 1)):
        denoiser = _Fixed(probs)
        x_s = walk(denoiser, TOKEN_SAMPLERS[name](), even(3), torch.full((1, 3), 4))[1]
        yield error(name, (x_s[0] != 4).double(), torch.eye(3, dtype=torch.float64)[place], 0.0)
    sure = [[0.95, 0.05], [0.5, 0.5], [0.85, 0.15], [0.92, 0.08]]
    for tau, first, calls in ((0.9, [1, 0, 0, 1], 3), (0.8, [1, 0, 1, 1], 2), (0.99, [1, 0, 0, 0], 4)):
        denoiser = _Fixed(sure)
        states = walk(denoiser, Threshold(tau=tau), even(8), torch.full((1, 4), 2))
        found, wanted = (states[1][0] != 2).double(), torch.tensor(first).double()
        yield error(f"threshold {tau:g}", found, wanted, 0.0)
        yield Result(f"threshold {tau:g}", denoiser.calls, calls, calls, "network calls")
    for name in (*ORDERS, "ancestral"):
        denoiser = _Fixed(sure)
        walk(denoiser, TOKEN_SAMPLERS[name](), even(400), torch.full((1, 4), 2))
        yield Result(name, denoiser.calls, 1, 4, "network calls for 4 tokens in 400 steps")


def given_tokens_stay() -> Iterator[Result]:
    """Known tokens stay through every step, and the rest follows the law given them."""
    where, tokens = torch.tensor([False, True, False]), torch.tensor([0, 2, 0])
    joint = (FIRST[:, None] * THEN)[:, 2]
    law = torch.zeros(3, 3, 3, dtype=torch.float64)
    law[:, 2] = joint[:, None] / joint.sum() * THEN[2]
    for name, kind in TOKEN_SAMPLERS.items():
        sampler = kind(eta=0.05) if kind is Remask else Threshold(tau=1.0) if kind is Threshold else kind()
        process = process_for(sampler)
        known = Given(chain(process), tokens.expand(COUNT, -1), where.expand(COUNT, -1))
        start = known.put_back(process.prior((COUNT, LENGTH), Noise(2)))
        steps = 50 if name in ("ancestral", "remask", "uniform") else LENGTH
        states = walk(known, sampler, even(steps), start)
        kept = torch.stack([(x[:, 1] == 2).double().mean() for x in states])
        yield error(name, kept, torch.ones_like(kept), 0.0)
        if isinstance(process, MaskedProcess):
            yield chance(name, states[-1], law.flatten())


def options_shape_the_law() -> Iterator[Result]:
    """Temperature and top-p against their definitions; draws against the probabilities."""
    probs = torch.tensor([[0.4, 0.35, 0.15, 0.1]], dtype=torch.float64)
    for temperature in (0.5, 1.0, 1.5, 2.0):
        wanted = probs ** (1 / temperature)
        found = tempered(probs.log(), temperature)
        yield error(f"temperature {temperature:g}", found / found.sum(), wanted / wanted.sum(), 1e-12)
    yield error("temperature 0", tempered(probs.log(), 0.0), torch.eye(4, dtype=torch.float64)[:1], 0.0)
    for top_p, kept in ((0.39, 1), (0.41, 2), (0.74, 2), (0.76, 3), (1.0, 4)):
        wanted = probs.where(torch.arange(4) < kept, 0.0)
        yield error(f"top-p {top_p:g}", tempered(probs.log(), 1.0, top_p), wanted, 1e-12)
    shifted = tempered(torch.tensor([[0.1, 0.4, 0.5]], dtype=torch.float64).log(), 1.0, 0.6)
    yield error("top-p, order", shifted, torch.tensor([[0.0, 0.4, 0.5]], dtype=torch.float64), 1e-12)
    place = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    found = torch.bincount(drawn(3 * probs.expand(1000, -1), place), minlength=4) / 1000
    yield error("draws", found, probs[0], 1e-3)
    edge = drawn(
        torch.tensor([[0.0, 0.3, 0.7, 0.0]], dtype=torch.float64).expand(2, -1), torch.tensor([0.0, 1.0])
    )
    yield error("draws, ends", edge, torch.tensor([1, 2]), 0.0)
    times = even(4, 0.8)
    yield error("even steps", times, torch.tensor([0.8, 0.6, 0.4, 0.2, 0.0], dtype=torch.float64), 1e-12)
    exact = chain(MaskedProcess(4, CosineKeep()), 1)
    x = walk(exact, Ancestral(temperature=0.5), even(3), torch.full((COUNT, 1), 3))[-1]
    yield chance("ancestral, temperature 0.5", x, FIRST**2 / (FIRST**2).sum())
    x = walk(exact, Confidence(top_p=0.6), even(1), torch.full((COUNT, 1), 3))[-1]
    yield chance("confidence, top-p 0.6", x, torch.tensor([0.5, 0.3, 0.0], dtype=torch.float64) / 0.8)
    exact = chain(UniformProcess(3), 1)
    x = walk(exact, Exchange(top_p=0.6), even(3), exact.process.prior((COUNT, 1), Noise(1)))[-1]
    yield chance("uniform, top-p 0.6", x, torch.tensor([0.5, 0.3, 0.0], dtype=torch.float64) / 0.8)
    x = walk(exact, Exchange(top_p=0.6), even(2)[:2], exact.process.prior((COUNT, 1), Noise(1)))[-1]
    half = torch.tensor([0.5, 0.3, 0.0], dtype=torch.float64) / 0.8 / 2 + 1 / 6
    yield chance("uniform, top-p 0.6, on the way", x, half)
    x = walk(exact, Exchange(temperature=0.0), even(3), exact.process.prior((COUNT, 1), Noise(1)))[-1]
    yield error("uniform, temperature 0", x.double(), torch.zeros(COUNT, 1, dtype=torch.float64), 0.0)
