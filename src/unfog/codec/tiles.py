"""A large picture through a network in tiles, so that memory does not grow with the picture.

A convolution sees its neighbourhood only, so a tile with a rim as wide as the network looks gives the same
values inside as the whole picture would. Two things see more than that. Normalisation takes its mean and
variance from the whole picture: they are found first, norm by norm, each in one pass over all tiles up to
that norm; all tiles then share them, and colours do not jump between tiles. (That is dear, about half as many
passes as there are norms, and cheaper than memory that is not there.) Attention looks everywhere: in tiles it
sees its tile alone, and with it tiles come near to the whole, and no nearer.

Neighbouring tiles are blended over the outermost part of what both know well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Tile:
    """One tile, along one axis or both: what is read, and what of it is its own.

    Attributes:
        rows, columns: (first, last) of what is read, the rim included.
        core_rows, core_columns: (first, last) of its own part.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    core_rows: tuple[int, int]
    core_columns: tuple[int, int]


def tiles_of(height: int, width: int, size: int, rim: int) -> list[Tile]:
    """Tiles of ``size`` with a rim on all sides that lie inside."""

    def along(length: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        cores = [(first, min(first + size, length)) for first in range(0, length, size)]
        return [((max(0, a - rim), min(length, b + rim)), (a, b)) for a, b in cores]

    return [
        Tile(rows, columns, own_rows, own_columns)
        for rows, own_rows in along(height)
        for columns, own_columns in along(width)
    ]


@torch.no_grad()
def in_tiles(network: nn.Module, method: str, x: Tensor, size: int, rim: int, scale: float) -> Tensor:
    """A network's result for x, tile by tile.

    Args:
        network: with normalisations by ``nn.GroupNorm`` only.
        method: of the network, by name.
        x: (B, C, H, W).
        size: of a tile, without its rim, in places of x.
        rim: in places of x.
        scale: places of the result for each place of x, along a side.

    Returns:
        (B, C', scale H, scale W).
    """
    height, width = x.shape[2:]
    plan = tiles_of(height, width, size, rim)
    run = getattr(network, method)
    if len(plan) == 1:
        whole: Tensor = run(x)
        return whole
    with _shared_statistics(network, run, x, plan):
        total: Tensor | None = None
        weight = x.new_zeros(1, 1, round(scale * height), round(scale * width))
        for tile in plan:
            part = run(_cut(x, tile))
            if total is None:
                total = x.new_zeros(len(x), part.shape[1], *weight.shape[2:])
            share = _share(tile, (height, width), rim, scale, part)
            rows, columns = (
                slice(*(round(scale * end) for end in ends)) for ends in (tile.rows, tile.columns)
            )
            total[:, :, rows, columns] += share * part
            weight[:, :, rows, columns] += share
    assert total is not None
    return total / weight


def _cut(x: Tensor, tile: Tile) -> Tensor:
    return x[:, :, slice(*tile.rows), slice(*tile.columns)]


def _share(tile: Tile, size: tuple[int, int], rim: int, scale: float, part: Tensor) -> Tensor:
    """How much each value of a tile counts: 1 in its own part, falling to 0 a little outside of it."""
    ramp = max(1, round(scale * min(2, rim)))

    def along(ends: tuple[int, int], core: tuple[int, int], length: int, count: int) -> Tensor:
        place = torch.arange(count, device=part.device) + 0.5
        low, high = (round(scale * (end - ends[0])) for end in core)
        below = 1 - (low - place) / ramp if core[0] > 0 else torch.ones_like(place)
        above = 1 - (place - high) / ramp if core[1] < length else torch.ones_like(place)
        return torch.minimum(below, above).clamp(0, 1).to(part)

    rows = along(tile.rows, tile.core_rows, size[0], part.shape[2])
    columns = along(tile.columns, tile.core_columns, size[1], part.shape[3])
    return rows[:, None] * columns


class _Reached(Exception):
    """Stops a pass at the norm whose statistics are wanted."""


@contextmanager
def _shared_statistics(network: nn.Module, run: Any, x: Tensor, plan: list[Tile]) -> Iterator[None]:
    """All group norms with the statistics of the whole picture, while the block lasts."""
    norms = _order(network, run, _cut(x, plan[0]))
    handles = []
    try:
        for norm in norms:
            found = _moments(norm, run, x, plan)
            handles.append(norm.register_forward_hook(_normalising(*found)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _order(network: nn.Module, run: Any, part: Tensor) -> list[nn.GroupNorm]:
    """The group norms in the order in which they are used."""
    met: list[nn.GroupNorm] = []
    norms = [module for module in network.modules() if isinstance(module, nn.GroupNorm)]
    handles = [norm.register_forward_hook(lambda module, *_: met.append(module)) for norm in norms]
    run(part)
    for handle in handles:
        handle.remove()
    return met


def _moments(norm: nn.GroupNorm, run: Any, x: Tensor, plan: list[Tile]) -> tuple[Tensor, Tensor]:
    """Mean and variance of each group before a norm, over the whole picture, (B, groups, 1) each."""
    seen: list[Tensor] = []

    def stop(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0])
        raise _Reached

    handle = norm.register_forward_pre_hook(stop)
    total, squares, count = torch.zeros(()), torch.zeros(()), 0
    try:
        for tile in plan:
            try:
                run(_cut(x, tile))
            except _Reached:
                own = _groups(_own(seen.pop(), tile), norm).double()
                total, squares = total + own.sum(2, keepdim=True), squares + own.square().sum(2, keepdim=True)
                count += own.shape[2]
    finally:
        handle.remove()
    mean = total / count
    variance = squares / count - mean.square()
    return mean.to(x), variance.clamp_min(0).to(x)


def _groups(x: Tensor, norm: nn.GroupNorm) -> Tensor:
    """(B, C, H, W) as (B, groups, values of a group)."""
    return x.reshape(len(x), norm.num_groups, -1)


def _own(inner: Tensor, tile: Tile) -> Tensor:
    """The tile's own part of what a layer has of it, at the resolution of that layer."""
    rows, columns = (
        slice(*(round((end - ends[0]) * length / (ends[1] - ends[0])) for end in core))
        for ends, core, length in (
            (tile.rows, tile.core_rows, inner.shape[2]),
            (tile.columns, tile.core_columns, inner.shape[3]),
        )
    )
    return inner[:, :, rows, columns]


def _normalising(mean: Tensor, variance: Tensor) -> Any:
    """A hook that normalises with given statistics instead of those of the tile."""

    def hook(module: nn.Module, inputs: tuple[Tensor, ...], _: Tensor) -> Tensor:
        assert isinstance(module, nn.GroupNorm)
        x = inputs[0]
        normal = ((_groups(x, module) - mean) * (variance + module.eps).rsqrt()).view(x.shape)
        return torch.addcmul(module.bias[:, None, None], normal, module.weight[:, None, None])

    return hook
