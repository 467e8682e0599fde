"""Text against a law that is written out in full: a Markov chain of three tokens, all sequences of three.

What is enumerated is exact: all x, all x_t, and an integral over time by quadrature. So the bound can be
held to the entropy far below what drawing noise levels would show. Samplers are in ``naming.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from unfog.condition import NONE, Condition
from unfog.denoise import (
    CategoricalPosterior,
    Denoiser,
    ExactTokens,
    MaskedDenoiser,
    TokenDenoiser,
    UniformDenoiser,
    leave_one_out,
)
from unfog.evaluate.tokens import bound_density, token_bound
from unfog.guide import Barred, ClassifierFree, Given
from unfog.process import KEEPS, CosineKeep, DiscreteProcess, MaskedProcess, UniformProcess
from unfog.rng import Noise
from unfog.verify.check import Result, error

FIRST = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
THEN = torch.tensor([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4]], dtype=torch.float64)
LENGTH = 3
NODES = 64  # of the quadrature


def processes(keep: str = "linear") -> dict[str, DiscreteProcess]:
    """Both processes on the tokens of the chain, with a schedule of ``KEEPS``."""
    return {"masked": MaskedProcess(4, KEEPS[keep]()), "uniform": UniformProcess(3, KEEPS[keep]())}


def chain(process: DiscreteProcess, length: int = LENGTH) -> ExactTokens:
    """The exact denoiser of the chain."""
    return ExactTokens(process, FIRST, THEN, length)


def moment(t: float) -> Tensor:
    """A time as a tensor, (), float64."""
    return torch.tensor(t, dtype=torch.float64)


class Says(nn.Module):
    """A network that says the same whatever it sees, and remembers the clock."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits, self.clock = logits, torch.zeros(0)

    def forward(self, tokens: Tensor, clock: Tensor, **slots: Tensor) -> Tensor:
        """Its logits (L, V) for every example, (B, L, V)."""
        self.clock = clock
        return self.logits.expand(len(tokens), *self.logits.shape)


class _Knows(nn.Module):
    """What training by cross-entropy on uniform noise ends at: the exact posterior, with its own token."""

    def __init__(self, exact: ExactTokens) -> None:
        super().__init__()
        self.exact = exact

    def forward(self, tokens: Tensor, clock: Tensor, **slots: Tensor) -> Tensor:
        t = self.exact.process.keep.time(clock.double().sigmoid())
        found: Tensor = self.exact(tokens, t).log_probs
        return found


def keeps_invert() -> Iterator[Result]:
    """Schedules begin at 1 and end at 0, their rates are derivatives, time inverts them, and as published."""
    t = torch.linspace(0.02, 0.98, 25, dtype=torch.float64)
    rate = 1e-4 * (20.0 / 1e-4) ** t
    published = {
        "linear": 1 - t,
        "cosine": 1 - torch.cos(math.pi / 2 * (1 - t)),
        "polynomial": 1 - t * t,
        "geometric": torch.exp(-rate),
    }
    for name, kind in KEEPS.items():
        keep, varied = kind(), t.clone().requires_grad_()
        yield error(f"{name}, as published", keep.alpha(t), published[name], 1.1e-4)
        ends = keep.alpha(torch.tensor([0.0, 1.0], dtype=torch.float64))
        yield error(f"{name}, ends", ends, torch.tensor([1.0, 0.0], dtype=torch.float64), 1e-12)
        yield error(f"{name}, time", keep.time(keep.alpha(t)), t, 1e-6)
        (slopes,) = torch.autograd.grad(keep.alpha(varied).sum(), varied)
        yield error(f"{name}, rate", keep.alpha_rate(t), slopes, 1e-9)
        process = MaskedProcess(4, keep)
        odds = (process.share(t) / (1 - process.share(t))).log()
        yield error(f"{name}, clock", process.log_ratio(t), odds, 1e-6)
        kept, lost = process.scales(t)
        yield error(f"{name}, kept and lost", kept + lost, torch.ones_like(t), 1e-12)


def noise_loses_its_share() -> Iterator[Result]:
    """How many tokens are hidden or exchanged at each time, and for what: five standard errors."""
    count, t = 40_000, torch.tensor([0.0, 0.3, 0.8, 1.0], dtype=torch.float64)
    x = torch.tensor([[0, 1, 2, 2]]).T.repeat(1, count)
    for keep in KEEPS:
        for name, process in processes(keep).items():
            x_t, alpha = process.corrupt(x, t, Noise(5)), process.share(t)
            law = alpha[:, None] * nn.functional.one_hot(x[:, 0], process.vocabulary)
            if isinstance(process, MaskedProcess):
                law[:, process.mask] += 1 - alpha
            else:
                law = law + (1 - alpha[:, None]) / process.vocabulary
            found = nn.functional.one_hot(x_t, process.vocabulary).double().mean(1)
            yield error(f"{name}, {keep}", found, law, 5 * 0.5 / count**0.5)
            last = nn.functional.one_hot(process.prior((4, count), Noise(6)), process.vocabulary).double()
            yield error(f"{name}, {keep}, prior", last.mean(1), law[3:].expand(4, -1), 0.9 / count**0.25)


def posteriors_are_bayes() -> Iterator[Result]:
    """Two tokens by hand: hidden, exchanged, and what one says of the other; then networks that say so."""
    joint, t = FIRST[:, None] * THEN, moment(0.4)
    masked, uniform = (chain(process, 2) for process in processes("cosine").values())
    yield error("law", masked.log_prob(masked.sequences).exp(), joint.flatten(), 1e-12)
    entropy = float(torch.special.entr(joint).sum())
    yield Result("entropy", masked.entropy(), entropy - 1e-9, entropy + 1e-9, "nats")
    hidden = masked(torch.tensor([[3, 3], [1, 3], [3, 2]]), t)
    onward, back = THEN[1], joint[:, 2] / joint[:, 2].sum()
    rows = torch.stack([FIRST, joint.sum(0), onward, back])
    yield error("masked", hidden.rows.exp(), rows, 1e-12)
    shown = nn.functional.one_hot(torch.tensor([1, 2]), 4).double()
    yield error("masked, visible tokens", hidden.log_probs[[1, 2], [0, 1]].exp(), shown, 1e-12)
    every = hidden.log_probs
    yield error("masked, in all", every.exp().sum(2), torch.ones(3, 2), 1e-12)
    again = CategoricalPosterior.of(every, hidden.x_t, hidden.open).log_probs
    yield error("masked, kept rows", again.exp(), every.exp(), 1e-12)
    alpha = float(CosineKeep().alpha(t))
    seen = alpha * torch.eye(3, dtype=torch.float64) + (1 - alpha) / 3  # q(z | x), symmetric
    exchanged = uniform(torch.tensor([[2, 1]]), t)
    both = joint * seen[:, 2:] * seen[1]
    yield error("uniform", exchanged.rows.exp(), torch.stack([both.sum(1), both.sum(0)]) / both.sum(), 1e-12)
    alone = torch.stack([(joint * seen[1]).sum(1), (joint * seen[:, 2:]).sum(0)])
    process = UniformProcess(3, CosineKeep())
    left = leave_one_out(exchanged, process, t).exp()
    yield error("uniform, leave one out", left, alone / alone.sum(1, keepdim=True), 1e-12)
    yield from _networks(process, t)


def _networks(process: UniformProcess, t: Tensor) -> Iterator[Result]:
    """Networks of known logits behind their denoisers."""
    logits = torch.tensor([[0.2, -1.0, 0.5, 9.0], [1.5, 0.3, -0.7, 9.0]], dtype=torch.float64)
    network = Says(logits)
    posterior = MaskedDenoiser(network, MaskedProcess(4, process.keep))(torch.tensor([[3, 1]]), t)
    probs = logits[0, :3].exp() / logits[0, :3].exp().sum()
    yield error("network, masked", posterior.rows.exp(), probs[None], 1e-12)
    x = torch.tensor([[0, 0]])
    yield error("network, cross-entropy", posterior.divergence(x), -probs[:1].log(), 1e-12)
    yield error("network, guess", posterior.guess, torch.tensor([[2, 1]]), 0.0)
    alpha = float(process.share(t))
    yield error("network, clock", network.clock, moment(math.log(alpha / (1 - alpha))), 1e-6)
    network, x_t = Says(logits[:, :3]), torch.tensor([[2, 1]])
    said = logits[:, :3].softmax(1)
    posterior = UniformDenoiser(network, process)(x_t, t)
    yield error("network, uniform", posterior.rows.exp(), said, 1e-12)
    seen = alpha * torch.eye(3, dtype=torch.float64) + (1 - alpha) / 3
    own = said * seen[x_t[0]]
    posterior = UniformDenoiser(network, process, adds_own=True)(x_t, t)
    yield error("network, adds own", posterior.rows.exp(), own / own.sum(1, keepdim=True), 1e-12)


def exact_bound(denoiser: TokenDenoiser, exact: ExactTokens) -> Tensor:
    """The bound of every sequence of the chain in nats, (V^L,): all x_t, weighed, and times by quadrature."""
    process, texts = exact.process, exact.sequences
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    noisy = torch.cartesian_prod(*[torch.arange(process.vocabulary)] * texts.shape[1])
    x, x_t = texts.repeat_interleave(len(noisy), 0), noisy.repeat(len(texts), 1)
    total = torch.zeros(len(texts), dtype=torch.float64)
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        # close to both ends more happens: t = u^2 (3 - 2 u), dt = 6 u (1 - u) du
        t, pace = moment(node**2 * (3 - 2 * node)), 6 * node * (1 - node)
        share = exact.log_likelihood(noisy, t).exp().T
        found = bound_density(denoiser(x_t, t), process, x, t).view(share.shape)
        rate = -float(process.keep.alpha_rate(t))
        total += weight * pace * rate * torch.where(share > 0, share * found, 0.0).sum(1)
    return total


def token_bound_is_entropy() -> Iterator[Result]:
    """With exact conditionals the bound of every sequence is -log p, on every schedule; drawn levels agree.

    A network trained by cross-entropy on uniform noise has seen its own token: taken for what the others
    say, its answer makes the bound far too large.
    """
    for keep in KEEPS:
        for name, process in processes(keep).items():
            exact = chain(process)
            bound, law = exact_bound(exact, exact), exact.log_law.exp()
            yield error(f"{name}, {keep}", bound, -exact.log_law, 1e-4)
            entropy = exact.entropy()
            yield Result(f"{name}, {keep}, mean", float(bound @ law), entropy - 1e-4, entropy + 1e-4, "nats")
            yield from _drawn(f"{name}, {keep}", exact)
    process = UniformProcess(3)
    exact = chain(process)
    entropy, law = exact.entropy(), exact.log_law.exp()
    for what, adds, low, high in (
        ("a network, own token taken out", False, -1e-4, 1e-4),
        ("a network, own token counted twice", True, 0.2, 9.0),
    ):
        found = exact_bound(UniformDenoiser(_Knows(exact), process, adds_own=adds), exact) @ law
        yield Result(what, float(found) - entropy, low, high, "nats above the entropy")


def _drawn(entry: str, exact: ExactTokens) -> Iterator[Result]:
    """What is drawn agrees with what was enumerated, within five standard errors."""
    x = exact.draw(3000, Noise(3))
    known: dict[str, tuple[Tensor | None, Tensor]] = {"drawn": (None, torch.zeros(len(x)))}
    if isinstance(exact.process, MaskedProcess):
        first = torch.tensor([True, False, False]).expand(x.shape)
        known["first token given"] = (first, FIRST.log()[x[:, 0]])  # what is left is -log p(rest | first)
    for what, (fixed, log_prob) in known.items():
        wrong = token_bound(exact, x, 6, Noise(4), fixed) + exact.log_prob(x) - log_prob
        limit = 5 * float(wrong.std()) / len(x) ** 0.5
        yield Result(f"{entry}, {what}", abs(float(wrong.mean())), 0.0, limit, "nats off")


class _TwoChains(Denoiser[DiscreteProcess, CategoricalPosterior]):
    """The chain where the condition is 1, and even odds where it is 0, for each example."""

    def __init__(self, process: DiscreteProcess) -> None:
        super().__init__()
        self.process = process
        self.asked = chain(process)
        self.other = ExactTokens(process, FIRST.new_full((3,), 1 / 3), THEN.T / THEN.sum(0)[:, None], LENGTH)

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> CategoricalPosterior:
        assert cond.vector is not None
        mixed: CategoricalPosterior = self.asked(x_t, t).where(cond.vector[:, 0] > 0, self.other(x_t, t))
        return mixed


def guidance_of_tokens() -> Iterator[Result]:
    """Guidance by w makes p^w q^(1 - w) of every position; the likelihood of the own token stays one."""
    t, on, off = moment(0.6), Condition(vector=torch.ones(4, 1)), Condition(vector=torch.zeros(4, 1))
    for name, process in processes().items():
        both = _TwoChains(process)
        x_t = process.corrupt(both.asked.draw(4, Noise(1)), t, Noise(2))
        asked, other = both(x_t, t, on), both(x_t, t, off)
        for w in (0.0, 1.0, 1.5, 2.5):
            guided = ClassifierFree(both, off, w)(x_t, t, on)
            mixed = asked.rows.exp() ** w * other.rows.exp() ** (1 - w)
            yield error(f"{name}, w = {w:g}", guided.rows.exp(), mixed / mixed.sum(1, keepdim=True), 1e-12)
            if isinstance(process, UniformProcess):
                parts = (leave_one_out(part, process, t).exp() for part in (guided, asked, other))
                found, mine, theirs = parts
                mixed = mine**w * theirs ** (1 - w)
                yield error(f"{name}, w = {w:g}, others", found, mixed / mixed.sum(1, keepdim=True), 1e-12)
        # lost / kept is 1.5 at t = 0.6
        for what, interval, truth in (
            ("in", (1.4, 1.6), 2.5),
            ("above", (0.1, 1.4), 1.0),
            ("below", (1.6, 9.0), 1.0),
        ):
            found = ClassifierFree(both, off, 2.5, interval)(x_t, t.expand(4), on).rows
            plain = ClassifierFree(both, off, truth)(x_t, t, on).rows
            yield error(f"{name}, {what} the interval", found.exp(), plain.exp(), 1e-12)
        without = Barred(both, [1])(x_t, t, on).rows.exp()
        left = asked.rows.exp() * torch.tensor([1.0, 0.0, 1.0])
        yield error(f"{name}, barred", without, left / left.sum(1, keepdim=True), 1e-12)
        # known tokens are known to both questions, whether the guide stands before or behind them
        known = torch.tensor([True, False, False]).expand(4, -1)
        outside = ClassifierFree(Given(both, x_t.flip(0), known), off, 2.5)(x_t, t, on)
        inside = Given(ClassifierFree(both, off, 2.5), x_t.flip(0), known)(x_t, t, on)
        yield error(f"{name}, given", outside.log_probs.exp(), inside.log_probs.exp(), 1e-12)
        settled = torch.zeros(4, 3) if outside.given is None else outside.given
        yield error(f"{name}, given, where", settled.double(), known.double(), 0.0)
    # what one of two says is impossible has no logarithm
    never = CategoricalPosterior.of(
        torch.tensor([[[0.5, 0.5, 0.0]], [[0.9, 0.0, 0.1]]], dtype=torch.float64).log(),
        torch.zeros(2, 1, dtype=torch.long),
        torch.ones(2, 1, dtype=torch.bool),
    )
    asked, other = never.halves()
    found = asked.extrapolate(other, 2.0).rows.exp()
    yield error("impossible tokens", found, torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64), 1e-12)
