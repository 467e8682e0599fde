"""Pictures and texts in one space against closed forms: who finds whom, ways between, and blur."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional as F

from unfog.condition.image import blurred
from unfog.evaluate.retrieval import ranks
from unfog.rng import Noise
from unfog.sample.encode import between
from unfog.train.contrast import contrast
from unfog.verify.check import Result, error


def contrast_is_a_softmax() -> Iterator[Result]:
    """Against sums of exponentials; who cannot tell pays log N; and what is also true does not compete."""
    ours, theirs = (F.normalize(Noise(seed).normal((5, 8)).double(), dim=1) for seed in (0, 1))
    none = torch.zeros(5, 5, dtype=torch.bool)
    odds = (3 * ours @ theirs.T).exp()
    wanted = -(odds.diag().log() - (odds.sum(0).log() + odds.sum(1).log()) / 2)
    yield error("both ways", contrast(ours, theirs, 3.0, none), wanted, 1e-12)
    same = torch.ones(5, 1).double()
    wanted = torch.full((5,), math.log(5), dtype=torch.float64)
    yield error("no difference", contrast(same, same, 3.0, none), wanted, 1e-12)
    true = none.clone()
    true[0, 1] = true[1, 0] = True
    alone = contrast(ours[[0, 2, 3, 4]], theirs[[0, 2, 3, 4]], 3.0, none[:4, :4])[0]
    yield error("also true", contrast(ours, theirs, 3.0, true)[0], alone, 1e-12)


def ways_keep_to_the_sphere() -> Iterator[Result]:
    """A way between two embeddings has their ends, their length, and equal steps; blur has its angle."""
    a, b = (F.normalize(Noise(seed).normal((1, 64)).double(), dim=1) for seed in (2, 3))
    way = torch.cat([between(a, b, share) for share in np.linspace(0, 1, 9)])
    yield error("ends", way[[0, -1]], torch.cat([a, b]), 1e-12)
    yield error("length", way.norm(dim=1), torch.ones(9).double(), 1e-12)
    steps = (way[1:] * way[:-1]).sum(1).acos()
    yield error("equal steps", steps, steps.mean().expand(8), 1e-6)
    seen = a.float().expand(4000, -1)
    cosine = (blurred(seen, Noise(4).normal((4000, 64)), 1.0) * seen).sum(1).mean()
    yield error("blur of 1", cosine, torch.tensor(0.5**0.5), 0.01)


def ranks_are_places() -> Iterator[Result]:
    """Ranks against sorting, and the last place for who says the same of all."""
    likeness = Noise(5).normal((40, 30)).numpy()
    right = np.eye(40, 30, dtype=bool)
    right[30:, 0] = True
    order = np.argsort(-likeness, 1)
    wanted = [1 + int(np.flatnonzero(right[i][order[i]])[0]) for i in range(40)]
    yield error("against sorting", torch.from_numpy(ranks(likeness, right)), torch.tensor(wanted), 0)
    blind = torch.from_numpy(ranks(np.zeros((40, 30), np.float32), right))
    yield error("the blind are last", blind, torch.full((40,), 30), 0)
