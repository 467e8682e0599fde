"""The judge of patches: one score for each patch, and no look beyond it."""

from __future__ import annotations

import torch

from unfog.nets.discriminator import PatchDiscriminator


def test_a_score_for_each_patch() -> None:
    judge = PatchDiscriminator(3, width=16)
    assert judge(torch.randn(2, 3, 32, 40)).shape == (2, 1, 8, 10)
    assert judge(torch.randn(2, 3, 8, 8)).shape == (2, 1, 2, 2)
