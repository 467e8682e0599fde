"""Where randomness comes from: always named, never global.

Noise is drawn on the CPU, so that one seed gives one picture on every device. Sampling gives each example
its own seed: picture 3 of seed 7 is the same in a batch of 1, 4 or 64. Training draws a whole batch from the
seed of the step, so that a step can be taken again after a crash without any generator's state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def derive_seed(*parts: int | str) -> int:
    """A 63-bit seed that depends on all parts and on their order, e.g. ``derive_seed(7, "noise", 3)``."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


class Noise:
    """A source of standard normal and uniform numbers.

    Either one stream for a whole batch, ``Noise(seed)``, or one per example, ``Noise.per_example(seeds)``.
    """

    def __init__(self, seed: int) -> None:
        self._streams = [torch.Generator().manual_seed(seed)]
        self._shared = True

    @classmethod
    def per_example(cls, seeds: Sequence[int]) -> Noise:
        """One independent stream per example, so that a result does not depend on its neighbours."""
        noise = cls(0)
        noise._streams = [torch.Generator().manual_seed(seed) for seed in seeds]
        noise._shared = False
        return noise

    @classmethod
    def for_pictures(cls, seed: int, indices: Sequence[int]) -> Noise:
        """The streams of the pictures numbered ``indices`` of a request with ``seed``."""
        return cls.per_example([derive_seed(seed, "example", index) for index in indices])

    def normal(self, shape: Sequence[int], like: Tensor | None = None) -> Tensor:
        """Standard normal noise of ``shape`` (B, *S), with the type and device of ``like``."""
        return self._draw(Tensor.normal_, shape, like)

    def uniform(self, shape: Sequence[int], like: Tensor | None = None) -> Tensor:
        """Uniform numbers in [0, 1) of ``shape`` (B, *S), with the type and device of ``like``."""
        return self._draw(Tensor.uniform_, shape, like)

    def _draw(self, fill: Callable[..., Tensor], shape: Sequence[int], like: Tensor | None) -> Tensor:
        # float64 data gets float64 noise: closed-form tests need the digits
        dtype = torch.float64 if like is not None and like.dtype == torch.float64 else torch.float32
        noise = torch.empty(tuple(shape), dtype=dtype)
        if not self._shared and len(noise) != len(self._streams):
            raise ValueError(
                f"{len(self._streams)} seeds for a batch of {len(noise)}: give one seed per example."
            )
        for part, stream in zip([noise] if self._shared else noise.unbind(), self._streams, strict=True):
            fill(part, generator=stream)
        return noise if like is None else noise.to(device=like.device, dtype=like.dtype)


def stratified(count: int, rng: Noise) -> Tensor:
    """``count`` uniform numbers in [0, 1), one in each of ``count`` equal parts, in random order.

    A batch then covers all noise levels evenly, which lowers the variance of its loss for nothing
    (Kingma et al. 2021, section G). Shape (count,).
    """
    order = rng.uniform((count,)).argsort()
    # in float32, 63 plus almost 1 is 64: keep the last part below 1
    return ((order + rng.uniform((count,))) / count).clamp_max(1 - 2**-24)
