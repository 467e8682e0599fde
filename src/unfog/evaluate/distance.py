"""Two distances between two clouds of feature vectors.

Frechet distance (Dowson and Landau 1982; for pictures Heusel et al. 2017): both clouds are replaced by the
Gaussians of their mean m and covariance C,

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

The estimate from N pictures is too high by about c/N, so only equal N may be compared; evaluated at N and
N/2 the line can be followed to infinite N (Chong and Forsyth 2020).

Kernel distance (Binkowski et al. 2018): the squared maximum mean discrepancy under (x.y/D + 1)^3. Unbiased:
for two draws of one law it is 0 on average, and so it is below 0 about as often as above.

Here "FID" and "KID" would be wrong names: they stand for one particular network of features.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from unfog.evaluate.figure import Figure, jackknife

Floats = NDArray[np.float64]

REPLICATES = 100
HALVINGS = 8
BLOCKS = 20


def moments(features: Floats) -> tuple[Floats, Floats]:
    """Mean (D,) and unbiased covariance (D, D) of features (N, D), N >= 2."""
    mean = features.mean(0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)


def square_root(covariance: Floats) -> Floats:
    """The symmetric square root (D, D) of a covariance (D, D), which may have any rank."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(_without_noise(values))) @ vectors.T, np.float64)


def _without_noise(values: Floats) -> Floats:
    """Eigenvalues with those that are only rounding set to 0: a square root would make 1e-16 into 1e-8."""
    least = max(float(values.max(initial=0.0)), 0.0) * len(values) * np.finfo(np.float64).eps
    return np.where(values > least, values, 0.0)


def frechet_gaussians(mean_a: Floats, cov_a: Floats, mean_b: Floats, cov_b: Floats) -> float:
    """The squared Frechet distance of two Gaussians with means (D,) and covariances (D, D) of any rank."""
    return _frechet(mean_a, cov_a, mean_b, cov_b, square_root(cov_b))


def _frechet(mean_a: Floats, cov_a: Floats, mean_b: Floats, cov_b: Floats, root_b: Floats) -> float:
    # tr (C1 C2)^(1/2) is the sum of the square roots of the eigenvalues of C2^(1/2) C1 C2^(1/2), which is
    # symmetric: no general matrix root, no complex numbers, no trouble when N < D
    inner: Floats = root_b @ cov_a @ root_b
    cross = float(
        np.sqrt(_without_noise(np.asarray(np.linalg.eigvalsh((inner + inner.T) / 2), np.float64))).sum()
    )
    shift = mean_a - mean_b
    return max(0.0, float(shift @ shift + np.trace(cov_a) + np.trace(cov_b) - 2 * cross))


def frechet_distance(a: Floats, b: Floats) -> float:
    """The squared Frechet distance between features (N, D) and (M, D), each with at least two rows."""
    return frechet_gaussians(*moments(a), *moments(b))


class FrechetJudge:
    """Frechet distances of many picture sets to one reference, whose square root is computed once.

    Args:
        reference: features (M, D) of the training pictures, M >= 2.
    """

    def __init__(self, reference: Floats) -> None:
        self.mean, self.cov = moments(reference)
        self.root = square_root(self.cov)

    def distance(self, features: Floats) -> float:
        """The squared distance of features (N, D), N >= 2, to the reference."""
        return _frechet(*moments(features), self.mean, self.cov, self.root)

    def figures(self, features: Floats, seed: int, replicates: int = REPLICATES) -> tuple[Figure, Figure]:
        """The distance at this N, and followed to infinite N, with bootstrap intervals.

        Args:
            features: (N, D).
            seed: of the resampling.
            replicates: bootstrap replicates. The pictures judged are drawn again, the reference stays.

        Returns:
            ``(at N, at infinite N)``. The second may fall a little below 0 and is missing for N < 4 D,
            where a straight line in 1/N no longer describes the bias.
        """
        n, width = features.shape
        few = Figure.missing(f"needs at least {4 * width} pictures, there are {n}", n)
        if n < 4:
            return Figure.missing(f"needs at least 4 pictures, there are {n}", n), few
        if not np.isfinite(features).all():
            return Figure.of(np.nan, None, n), Figure.of(np.nan, None, n)
        rng = np.random.default_rng(seed)
        value = self.distance(features)
        halves = [self._half(features, rng) for _ in range(HALVINGS)] if n >= 4 * width else []
        whole, limit = np.empty(replicates), np.empty(replicates)
        for index in range(replicates):
            drawn = features[rng.integers(0, n, n)]
            whole[index] = self.distance(drawn)
            limit[index] = 2 * whole[index] - (self._half(drawn, rng) if halves else 0.0)
        at_n = Figure.of(value, _around(value, whole), n, floor=0.0)
        if not halves:
            return at_n, few
        beyond = 2 * value - float(np.mean(halves))
        return at_n, Figure.of(beyond, _around(beyond, limit), n)

    def _half(self, features: Floats, rng: np.random.Generator) -> float:
        order = rng.permutation(len(features))
        middle = len(features) // 2
        return (self.distance(features[order[:middle]]) + self.distance(features[order[middle:]])) / 2


def _around(value: float, replicates: Floats) -> tuple[float, float]:
    # drawing with repetition adds bias of its own (fewer distinct pictures), so only the spread is used
    low, high = np.quantile(replicates - replicates.mean(), [0.025, 0.975])
    return value + float(low), value + float(high)


def kernel_distance(a: Floats, b: Floats, seed: int = 0, blocks: int = BLOCKS) -> Figure:
    """The unbiased squared kernel distance between features (N, D) and (M, D).

    The kernel is (x.y/D + 1)^3. Both sets are cut into blocks; the interval is the delete-a-group jackknife
    over pairs of blocks, so it covers the draw of both sets.

    Args:
        a: features of the pictures judged; N >= 4.
        b: features of the reference; M >= 4.
        seed: of the cut into blocks; pictures sorted by class would make unequal ones otherwise.
        blocks: at most this many blocks; fewer for small sets.

    Returns:
        A figure whose n is N.
    """
    blocks = min(blocks, len(a) // 2, len(b) // 2)
    if blocks < 2:
        return Figure.missing(f"needs at least 4 pictures, there are {min(len(a), len(b))}", len(a))
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return Figure.of(np.nan, None, len(a))
    rng = np.random.default_rng(seed)
    a, b = a[rng.permutation(len(a))], b[rng.permutation(len(b))]
    cuts_a, cuts_b = _cuts(len(a), blocks), _cuts(len(b), blocks)
    sums_aa, sums_bb, sums_ab = (
        _kernel_sums(a, a, cuts_a, cuts_a),
        _kernel_sums(b, b, cuts_b, cuts_b),
        _kernel_sums(a, b, cuts_a, cuts_b),
    )
    sizes_a, sizes_b = np.diff(cuts_a), np.diff(cuts_b)
    self_a, self_b = _self_sums(a, cuts_a), _self_sums(b, cuts_b)

    def estimate(keep: NDArray[np.bool_]) -> float:
        square = np.ix_(keep, keep)
        n, m = int(sizes_a[keep].sum()), int(sizes_b[keep].sum())
        within_a = (sums_aa[square].sum() - self_a[keep].sum()) / (n * (n - 1))
        within_b = (sums_bb[square].sum() - self_b[keep].sum()) / (m * (m - 1))
        return float(within_a + within_b - 2 * sums_ab[square].sum() / (n * m))

    everything = np.ones(blocks, np.bool_)
    value = estimate(everything)
    left_out = np.array([estimate(np.arange(blocks) != block) for block in range(blocks)])
    return Figure.of(value, jackknife(value, left_out) if blocks > 2 else None, len(a))


def _cuts(count: int, blocks: int) -> NDArray[np.int64]:
    return np.linspace(0, count, blocks + 1).astype(np.int64)


def _kernel_sums(a: Floats, b: Floats, cuts_a: NDArray[np.int64], cuts_b: NDArray[np.int64]) -> Floats:
    """Sums of the kernel over each pair of blocks; never more than one block of rows in memory."""
    rows = []
    for start, stop in itertools.pairwise(cuts_a):
        inner = a[start:stop] @ (b / a.shape[1]).T + 1
        columns = np.einsum("ij,ij,ij->j", inner, inner, inner)  # the cube; ** 3 would take ten times as long
        rows.append(np.add.reduceat(columns, cuts_b[:-1]))
    return np.stack(rows)


def _self_sums(a: Floats, cuts: NDArray[np.int64]) -> Floats:
    return np.add.reduceat(((a * a).sum(1) / a.shape[1] + 1) ** 3, cuts[:-1])
