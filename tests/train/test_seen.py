"""Embeddings that a step is told: blurred anew in each, the same when the step is taken again."""

from __future__ import annotations

import numpy as np
import torch

from unfog.train.seen import Seen

ALL = torch.nn.functional.normalize(torch.randn(6, 64, generator=torch.Generator().manual_seed(0)), dim=1)


def test_without_blur_they_are_what_they_are() -> None:
    (told,) = Seen(ALL, 0.0, 0)(np.array([4, 1]), 3)
    assert told is not None
    torch.testing.assert_close(told, ALL[[4, 1]])


def test_blur_depends_on_seed_and_step_alone() -> None:
    chosen = np.zeros(400, np.int64)
    (one,), (again,), (other,) = (
        Seen(ALL, 0.5, 7)(chosen, 2),
        Seen(ALL, 0.5, 7)(chosen, 2),
        Seen(ALL, 0.5, 7)(chosen, 3),
    )
    assert one is not None and again is not None and other is not None
    assert torch.equal(one, again) and not torch.equal(one, other)
    likeness = one @ ALL[0]
    assert float(likeness.min()) > 0.8 and float(likeness.max()) > 0.999
