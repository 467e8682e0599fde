"""Do the samples look real, and do they reach everything that is real? Four shares from nearest neighbours.

Around every picture of a set lies a ball that reaches to its k-th nearest neighbour in the same set; all
balls together stand for the set's territory.

precision   share of samples inside the territory of the real pictures (k = 3)
recall      share of real pictures inside the territory of the samples (k = 3)
density     how many real balls hold a sample, divided by k and the number of real pictures; about 1 is
            right, and unlike precision it does not fall for a single outlier with a huge ball (k = 5)
coverage    share of real balls that hold at least one sample (k = 5)

Precision and recall: Kynkaanniemi et al. 2019. Density and coverage: Naeem et al. 2020. All depend on the
sizes of both sets, so only equal sizes may be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unfog.evaluate.figure import Figure, average, wilson

Floats = NDArray[np.float64]

K_RECALL, K_COVERAGE = 3, 5
LEAST = 20
MOST = 2_000
"""Pictures of each set used at most."""

ROUNDS = 4
_CELLS = 4_000_000


def distances(a: Floats, b: Floats) -> Iterator[tuple[int, Floats]]:
    """Squared distances between rows of a (N, D) and b (M, D), a few million cells at a time.

    Yields:
        ``(start, block)``, where block[i, j] belongs to a[start + i] and b[j]; rounding below 1e-12 of the
        lengths counts as 0, so copies are at distance 0.
    """
    squares_a, squares_b = (a * a).sum(1), (b * b).sum(1)
    rows = max(1, _CELLS // max(1, len(b)))
    for start in range(0, len(a), rows):
        part = slice(start, start + rows)
        block = a[part] @ b.T
        block *= -2
        scale = squares_a[part, None] + squares_b
        block += scale
        scale *= 1e-12
        block[block < scale] = 0.0
        yield start, block


def radii(points: Floats, ks: tuple[int, ...]) -> Floats:
    """Squared distance of each of (N, D) points to its k-th nearest other point, for each k: (len(ks), N)."""
    out = np.empty((len(ks), len(points)))
    for start, block in distances(points, points):
        rows = np.arange(len(block))
        block[rows, start + rows] = -1.0  # itself, always the nearest
        ordered = np.partition(block, ks, axis=1)
        out[:, start : start + len(block)] = ordered[:, list(ks)].T
    return out


@dataclass(frozen=True)
class Territory:
    """Which points of two sets lie in whose territory.

    Attributes:
        inside: (M,) whether each sample is in the territory of the real pictures.
        reached: (N,) whether each real picture is in the territory of the samples.
        crowd: (M,) real balls that hold each sample, divided by k.
        covered: (N,) whether each real ball holds a sample.
    """

    inside: NDArray[np.bool_]
    reached: NDArray[np.bool_]
    crowd: Floats
    covered: NDArray[np.bool_]

    @property
    def precision(self) -> float:
        """Share of samples inside the real territory."""
        return float(self.inside.mean())

    @property
    def recall(self) -> float:
        """Share of real pictures inside the territory of the samples."""
        return float(self.reached.mean())

    @property
    def density(self) -> float:
        """Mean of ``crowd``."""
        return float(self.crowd.mean())

    @property
    def coverage(self) -> float:
        """Share of real balls that hold a sample."""
        return float(self.covered.mean())


def territory(samples: Floats, real: Floats) -> Territory:
    """Compare samples (M, D) with real pictures (N, D); M and N above 5."""
    (own,) = radii(samples, (K_RECALL,))
    near, far = radii(real, (K_RECALL, K_COVERAGE))
    inside, reached = np.zeros(len(samples), np.bool_), np.zeros(len(real), np.bool_)
    crowd, covered = np.zeros(len(samples)), np.zeros(len(real), np.bool_)
    for start, block in distances(real, samples):
        part = slice(start, start + len(block))
        inside |= (block <= near[part, None]).any(0)
        reached[part] = (block <= own).any(1)
        holds = block <= far[part, None]
        crowd += holds.sum(0)
        covered[part] = holds.any(1)
    return Territory(inside, reached, crowd / K_COVERAGE, covered)


def territory_figures(samples: Floats, real: Floats, seed: int = 0) -> dict[str, Figure]:
    """Precision, recall, density and coverage with intervals, at equal sizes of both sets.

    The samples are compared with up to four disjoint draws of as many real pictures, and the results are
    averaged, so that more of the real pictures have a say.

    Args:
        samples: features (M, D). At most 2,000 are used.
        real: features of the training pictures (N, D). If N < M, only N samples are used.
        seed: of the draws.

    Returns:
        Figures named precision, recall, density, coverage; all missing below 20 pictures.
    """
    n = min(len(samples), len(real), MOST)
    if n < LEAST:
        reason = Figure.missing(f"needs at least {LEAST} pictures in each set, there are {n}", n)
        return dict.fromkeys(("precision", "recall", "density", "coverage"), reason)
    if not (np.isfinite(samples).all() and np.isfinite(real).all()):
        return dict.fromkeys(("precision", "recall", "density", "coverage"), Figure.of(np.nan, None, n))
    rng = np.random.default_rng(seed)
    chosen = samples[rng.permutation(len(samples))[:n]]
    order = rng.permutation(len(real))
    rounds = min(ROUNDS, len(real) // n)
    results = [territory(chosen, real[order[part * n : (part + 1) * n]]) for part in range(rounds)]
    inside = np.mean([result.inside for result in results], axis=0)
    crowd = np.mean([result.crowd for result in results], axis=0)
    shares = {
        "precision": float(inside.mean()),
        "recall": float(np.mean([result.recall for result in results])),
        "coverage": float(np.mean([result.coverage for result in results])),
    }
    figures = {name: Figure.of(value, wilson(value, n), n) for name, value in shares.items()}
    return figures | {"density": average(crowd)}
