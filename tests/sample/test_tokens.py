"""Drawing tokens: the same law as Gumbel's trick, in float64, and clear words about nonsense."""

from __future__ import annotations

import pytest
import torch

from unfog.denoise import CategoricalPosterior, ExactTokens, MaskedDenoiser
from unfog.errors import SampleError, WrongPosterior
from unfog.process import MaskedProcess, UniformProcess
from unfog.rng import Noise
from unfog.sample import DDIM, TOKEN_SAMPLERS, Ancestral, even, trajectory
from unfog.sample.tokens import drawn, filled, places, tempered
from unfog.verify.naming import process_for
from unfog.verify.tokens import FIRST, THEN, Says

PROBS = torch.tensor([[0.4, 0.35, 0.15, 0.1]], dtype=torch.float64)


def test_inverting_the_cumulative_law_is_gumbels_trick() -> None:
    count = 200_000
    here = drawn(PROBS.expand(count, -1), places((count,), Noise(1)))
    gumbel = -(-places((count, 4), Noise(2)).clamp_min(1e-300).log()).log()
    there = (PROBS.log() + gumbel).argmax(1)
    for found in (here, there):
        shares = torch.bincount(found, minlength=4) / count
        torch.testing.assert_close(shares.double(), PROBS[0], rtol=0, atol=5 * 0.5 / count**0.5)


def test_rare_tokens_are_not_cut_off() -> None:
    """Numbers in float32 come in steps of 2^-24, and would never or always pick this one."""
    rare = torch.tensor([[1 - 1e-9, 1e-9]], dtype=torch.float64)
    place = 1 - torch.tensor([2e-9, 0.5e-9], dtype=torch.float64)
    assert drawn(rare.expand(2, -1), place).tolist() == [0, 1]
    assert places((3,), Noise(0)).dtype == torch.float64


def test_impossible_tokens_are_never_drawn() -> None:
    probs = torch.tensor([[0.0, 0.1, 0.0, 0.2, 0.0]], dtype=torch.float64).expand(3, -1)
    place = torch.tensor([0.0, 1 / 3, 1 - 2**-53], dtype=torch.float64)
    assert set(drawn(probs, place).tolist()) == {1, 3}


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_temperature_is_a_power(temperature: float) -> None:
    found, wanted = tempered(PROBS.log(), temperature), PROBS ** (1 / temperature)
    torch.testing.assert_close(found, wanted / wanted.sum())


def test_top_p_keeps_the_token_that_reaches_it() -> None:
    for top_p, kept in ((0.1, 1), (0.39, 1), (0.41, 2), (0.76, 3), (0.95, 4)):
        assert int((tempered(PROBS.log(), 1.0, top_p) > 0).sum()) == kept


def test_only_chosen_open_positions_are_filled() -> None:
    x_t = torch.tensor([[3, 1, 3]])
    posterior = CategoricalPosterior(torch.eye(3)[[0, 2]].log(), x_t, x_t == 3, 4)
    everything, place = torch.ones(1, 3, dtype=torch.bool), torch.full((1, 3), 0.5).double()
    assert filled(posterior, everything, place, 1.0, 1.0).tolist() == [[0, 1, 2]]
    last = torch.tensor([[False, True, True]])
    assert filled(posterior, last, place, 1.0, 1.0).tolist() == [[3, 1, 2]]


def test_an_even_grid_starts_where_it_is_told() -> None:
    torch.testing.assert_close(even(4, 0.8), torch.tensor([0.8, 0.6, 0.4, 0.2, 0.0]).double())
    with pytest.raises(SampleError, match="at least one"):
        even(0)


@pytest.mark.parametrize("name", TOKEN_SAMPLERS)
def test_nan_is_named_by_every_sampler(name: str) -> None:
    process = process_for(TOKEN_SAMPLERS[name]())

    class Broken(ExactTokens):
        def forward(self, x_t, t, cond=None):
            posterior = super().forward(x_t, t)
            return posterior.with_rows(posterior.rows * torch.nan)

    denoiser = Broken(process, FIRST, THEN, 3)
    with pytest.raises(SampleError, match="NaN"):
        list(
            trajectory(
                denoiser, TOKEN_SAMPLERS[name](), even(4), process.prior((2, 3), Noise(0)), rng=Noise(0)
            )
        )


@pytest.mark.parametrize("name", TOKEN_SAMPLERS)
@pytest.mark.parametrize("options", [{"temperature": -1.0}, {"top_p": 0.0}, {"top_p": 1.1}])
def test_options_that_mean_nothing_are_refused(name: str, options: dict[str, float]) -> None:
    with pytest.raises(SampleError, match=next(iter(options))):
        TOKEN_SAMPLERS[name](**options)


@pytest.mark.parametrize("name", TOKEN_SAMPLERS)
def test_a_process_that_does_not_fit_is_refused(name: str) -> None:
    sampler = TOKEN_SAMPLERS[name]()
    other = UniformProcess(3) if isinstance(process_for(sampler), MaskedProcess) else MaskedProcess(4)
    with pytest.raises(SampleError, match="--sampler"):
        sampler.check(other, 4)


def test_samplers_of_pictures_do_not_take_tokens() -> None:
    denoiser = MaskedDenoiser(Says(torch.zeros(3, 4)), MaskedProcess(4))
    with pytest.raises(WrongPosterior, match="CategoricalPosterior"):
        list(trajectory(denoiser, DDIM(), even(2), torch.full((1, 3), 3), rng=Noise(0)))


@pytest.mark.parametrize("name", TOKEN_SAMPLERS)
def test_a_seed_is_a_text_whatever_its_neighbours(name: str) -> None:
    sampler = TOKEN_SAMPLERS[name]()
    process = process_for(sampler)
    exact = ExactTokens(process, FIRST, THEN, 5)

    def texts(indices: list[int]) -> list[list[int]]:
        rng = Noise.for_pictures(7, indices)
        start = process.prior((len(indices), 5), rng)
        *_, last = trajectory(exact, sampler, even(7), start, rng=rng)
        return last.x_s.tolist()

    many = texts([0, 1, 2, 3, 4, 5])
    assert texts([3]) == many[3:4] and texts([4, 1]) == [many[4], many[1]]
    assert len({tuple(text) for text in many}) > 2
    assert many == texts([0, 1, 2, 3, 4, 5])


@pytest.mark.parametrize("name", TOKEN_SAMPLERS)
def test_every_walk_ends_in_text_and_shows_its_guess(name: str) -> None:
    sampler = TOKEN_SAMPLERS[name]()
    process = process_for(sampler, "cosine")
    exact = ExactTokens(process, FIRST, THEN, 5)
    for steps in (1, 3, 40):
        for step in trajectory(exact, sampler, even(steps), process.prior((6, 5), Noise(1)), rng=Noise(2)):
            assert step.x_s.dtype == torch.long and step.clean.shape == (6, 5)
        assert int(step.x_s.max()) < 3


@pytest.mark.parametrize("name", TOKEN_SAMPLERS)
def test_at_temperature_0_only_the_choice_of_places_is_left_to_chance(name: str) -> None:
    sampler = TOKEN_SAMPLERS[name](temperature=0.0)
    process = process_for(sampler)
    exact = ExactTokens(process, FIRST, THEN, 1)
    *_, last = trajectory(exact, sampler, even(3), process.prior((50, 1), Noise(1)), rng=Noise(2))
    assert not bool(last.x_s.any())  # token 0 is the most likely


def test_networks_in_float32_draw_the_same_law() -> None:
    logits = torch.tensor([[0.3, -0.5, 1.0, 0.0]])
    denoiser = MaskedDenoiser(Says(logits), MaskedProcess(4))
    *_, last = trajectory(denoiser, Ancestral(), even(1), torch.full((40_000, 1), 3), rng=Noise(3))
    shares = torch.bincount(last.x_s[:, 0], minlength=3) / 40_000
    torch.testing.assert_close(shares, logits[0, :3].softmax(0), rtol=0, atol=5 * 0.5 / 200)
