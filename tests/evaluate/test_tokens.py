"""The bound of text: equal to -log p where the denoiser is exact, above it where it is not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from tests.given import enliven, small_writer
from unfog.condition import Condition
from unfog.denoise import ExactTokens, MaskedDenoiser
from unfog.errors import SampleError
from unfog.evaluate.tokens import block_bound, bound_density, token_bound
from unfog.guide import Given
from unfog.process import DISCRETE, KEEPS, GaussianProcess, LinearKeep, MaskedProcess, UniformProcess
from unfog.rng import Noise
from unfog.verify.tokens import FIRST, THEN, Says, exact_bound, processes


@pytest.mark.parametrize("keep", KEEPS)
@pytest.mark.parametrize("name", DISCRETE)
def test_every_sequence_costs_its_log_probability(name: str, keep: str) -> None:
    """Everything is enumerated: 27 texts, all x_t, and times by quadrature; 1e-6 nats."""
    exact = ExactTokens(processes(keep)[name], FIRST, THEN, 3)
    torch.testing.assert_close(exact_bound(exact, exact), -exact.log_law, rtol=0, atol=1e-6)


@pytest.mark.parametrize("keep", KEEPS)
def test_a_wrong_model_pays_its_divergence(keep: str) -> None:
    """A model of even odds pays log 3 for each token, whatever the noise."""
    process = processes(keep)["masked"]
    blank = MaskedDenoiser(Says(torch.zeros(3, 4, dtype=torch.float64)), process)
    exact = ExactTokens(process, FIRST, THEN, 3)
    truth = torch.full((27,), 3 * math.log(3), dtype=torch.float64)
    torch.testing.assert_close(exact_bound(blank, exact), truth, rtol=0, atol=1e-6)
    # each share costs the same, so drawn levels have no spread at all
    drawn = token_bound(blank, exact.sequences, 1, Noise(0))
    torch.testing.assert_close(drawn, truth, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", DISCRETE)
def test_drawn_levels_are_unbiased(name: str) -> None:
    exact = ExactTokens(processes("cosine")[name], FIRST, THEN, 4)
    x = exact.draw(8000, Noise(1))
    wrong = token_bound(exact, x, 4, Noise(2)) + exact.log_prob(x)
    assert abs(float(wrong.mean())) < 5 * float(wrong.std()) / len(x) ** 0.5


def test_more_levels_are_less_noisy() -> None:
    exact = ExactTokens(MaskedProcess(4), FIRST, THEN, 4)
    x = exact.draw(2000, Noise(1))
    few, many = (float((token_bound(exact, x, n, Noise(2)) + exact.log_prob(x)).std()) for n in (2, 32))
    assert many < few / 3


@pytest.mark.parametrize("name", DISCRETE)
def test_fixed_tokens_are_shown_and_cost_nothing(name: str) -> None:
    """-log p(rest | first); of uniform noise the denoiser has to be told, see ``Given``."""
    exact = ExactTokens(processes()[name], FIRST, THEN, 3)
    x = exact.draw(6000, Noise(1))
    fixed = torch.tensor([True, False, False]).expand(x.shape)
    found = token_bound(exact, x, 6, Noise(2), fixed)
    wrong = found + exact.log_prob(x) - FIRST.log()[x[:, 0]]
    slack = 5 * float(wrong.std()) / len(x) ** 0.5
    assert float(wrong.mean()) > -slack
    if name == "masked":
        assert float(wrong.mean()) < slack
        settled = token_bound(Given(exact, x, fixed), x, 6, Noise(2), fixed)
        torch.testing.assert_close(settled, found)
    everything = torch.ones_like(x, dtype=torch.bool)
    assert not bool(token_bound(exact, x, 2, Noise(2), everything).any())


def test_a_bound_by_blocks_is_the_sum_over_blocks_given_those_before() -> None:
    """All at once, or one block after the other: both are unbiased; one block for all is ``token_bound``."""
    model = small_writer(context=24, network={"block": 8})
    enliven(model)
    network, denoiser = model.denoiser.network, model.denoiser
    x = torch.randint(0, model.codec.mask, (40, 21), generator=torch.Generator().manual_seed(0))
    fixed, of = torch.arange(21).expand(40, -1) < 3, torch.arange(21) // 8
    found = block_bound(model.blockwise(x), x, 8, 64, Noise(0), fixed)
    apart = [token_bound(denoiser, x, 64, Noise(number), (of != number) | fixed) for number in range(3)]
    wrong = found - torch.stack(apart).sum(0)
    assert abs(float(wrong.mean())) < 5 * float(wrong.std()) / 40**0.5 < 0.02 * float(found.mean())
    assert not bool(block_bound(model.blockwise(x), x, 8, 2, Noise(0), torch.ones_like(fixed)).any())
    network.config = replace(network.config, block=21)
    found = block_bound(model.blockwise(x), x, 21, 4, Noise(0), fixed)
    torch.testing.assert_close(found, token_bound(denoiser, x, 4, Noise(0), fixed))


def test_the_time_goes_with_the_share_that_is_hidden() -> None:
    """What a network with a clock sees: the k-th smallest of n uniform numbers, k / (n + 1) on average."""
    process, seen = MaskedProcess(4, KEEPS["cosine"]()), []

    class Noting(ExactTokens):
        def forward(self, x_t, t, cond=None):
            seen.append(((x_t == 3).sum(1), process.scales(t)[1]))
            return super().forward(x_t, t)

    exact = Noting(process, FIRST, THEN, 4)
    token_bound(exact, exact.draw(8000, Noise(1)), 4, Noise(2))
    for level, (count, lost) in enumerate(seen, 1):
        assert bool((count == level).all())  # four levels for four tokens: one each
        assert float(lost.mean()) == pytest.approx(level / 5, abs=0.02)


def test_the_condition_reaches_the_network() -> None:
    class Steered(Says):
        def forward(self, tokens, clock, vector=None):
            return super().forward(tokens, clock) + vector[:, None]

    denoiser = MaskedDenoiser(Steered(torch.zeros(2, 4)), MaskedProcess(4))
    x, say = torch.zeros(3, 2, dtype=torch.long), Condition(vector=torch.tensor([[2.0, 0.0, 0.0, 0.0]] * 3))
    told = token_bound(denoiser, x, 2, Noise(0), cond=say)
    assert bool((told < token_bound(denoiser, x, 2, Noise(0), cond=say.map(torch.zeros_like))).all())


def test_no_levels_and_other_processes_are_refused() -> None:
    exact = ExactTokens(MaskedProcess(4), FIRST, THEN, 3)
    x = exact.draw(2, Noise(1))
    with pytest.raises(SampleError, match="0 levels"):
        token_bound(exact, x, 0, Noise(1))
    exact.process = GaussianProcess()  # type: ignore[assignment]
    with pytest.raises(SampleError, match="GaussianProcess"):
        token_bound(exact, x, 1, Noise(1))


def test_the_density_of_uniform_noise_is_the_published_sum() -> None:
    """One position, written out: r_j log(r_j / q_j) - r_j + q_j over all tokens but the seen one."""
    process, t = UniformProcess(3, LinearKeep()), torch.tensor(0.4, dtype=torch.float64)
    exact, alpha = ExactTokens(process, FIRST, THEN, 1), 0.6
    for x, z in ((0, 0), (0, 2), (1, 2)):
        r = [(3 * alpha * (j == x) + 0.4) / (3 * alpha * (z == x) + 0.4) for j in range(3)]
        q = [(3 * alpha * float(FIRST[j]) + 0.4) / (3 * alpha * float(FIRST[z]) + 0.4) for j in range(3)]
        terms = [r[j] * math.log(r[j] / q[j]) - r[j] + q[j] for j in range(3) if j != z]
        found = bound_density(exact(torch.tensor([[z]]), t), process, torch.tensor([[x]]), t)
        assert float(found) == pytest.approx(sum(terms) / (3 * alpha), rel=1e-5)
