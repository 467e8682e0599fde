"""Random features see blur where pixels are content with it."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from unfog.nets.perceptual import RandomPyramid


def test_equal_pictures_are_equal_and_flat_colour_says_nothing() -> None:
    look, x = RandomPyramid(3), torch.rand(2, 3, 32, 32) * 2 - 1
    assert look(x, x).tolist() == [0.0, 0.0]
    flat = look.features(torch.full((1, 3, 32, 32), 0.7))
    assert max(float(each.abs().max()) for each in flat) < 1e-5


def test_blur_is_worse_than_a_change_of_brightness_of_the_same_size() -> None:
    torch.manual_seed(0)
    x = (F.interpolate(torch.rand(4, 3, 12, 12), scale_factor=4) > 0.5).float() * 2 - 1
    blurred = F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), 5, stride=1)
    brighter = x + (blurred - x).abs().mean()
    look = RandomPyramid(3)
    assert bool((look(blurred, x) > 3 * look(brighter, x)).all())


def test_it_teaches_and_is_not_taught() -> None:
    look = RandomPyramid(1)
    assert not list(look.parameters()) and not look.state_dict()
    x = torch.rand(1, 1, 9, 9, requires_grad=True)
    look(x, torch.rand(1, 1, 9, 9)).sum().backward()
    assert x.grad is not None and float(x.grad.abs().sum()) > 0
    assert torch.equal(look.first, RandomPyramid(1).first)
