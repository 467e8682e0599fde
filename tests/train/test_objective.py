"""Objectives: all chance is drawn first, for every recipe of the table."""

from __future__ import annotations

import pytest
import torch

from tests.given import pictures, small_model
from unfog.condition import ANY
from unfog.rng import Noise
from unfog.train import TrainConfig
from unfog.train.batches import pictures_at
from unfog.train.fit import objective_of
from unfog.train.objective import hidden


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_labels_are_hidden_as_often_as_asked(share: float) -> None:
    found = hidden(torch.zeros(2000, dtype=torch.long), share, Noise(0))
    assert found is not None
    assert float((found == ANY).float().mean()) == pytest.approx(share, abs=0.06)
    assert hidden(None, share, Noise(0)) is None


def test_what_was_drawn_can_be_shared_out() -> None:
    """The loss of an example does not depend on which device, or batch, it is computed in."""
    objective = objective_of(small_model(), TrainConfig())
    import numpy as np

    drawn = objective.draw(pictures_at(pictures(12), np.arange(12) % 2, np.arange(12)), Noise(3))
    whole = objective(*drawn)
    for first in range(3):
        part = objective(*(None if each is None else each[first::3] for each in drawn))
        torch.testing.assert_close(part, whole[first::3])


def test_the_same_noise_gives_the_same_question() -> None:
    objective = objective_of(small_model(classes=()), TrainConfig())
    batch = (torch.zeros(4, 1, 8, 8, dtype=torch.uint8), None)
    one, two, other = (objective.draw(batch, Noise(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True) if a is not None and b is not None)
    assert not torch.equal(objective(*one), objective(*other))
