"""The checks of codecs find a wrong one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unfog.codec.latent import LatentCodec
from unfog.nets.quantise import VectorQuantiser
from unfog.verify import codecs
from unfog.verify.codecs import (
    codes_are_the_nearest,
    decibels_are_decibels,
    latents_are_normal,
    nats_of_latents,
)


def test_all_is_well() -> None:
    for check in (nats_of_latents, codes_are_the_nearest, latents_are_normal, decibels_are_decibels):
        assert all(result.passed for result in check()), check.__name__


def test_wrong_nats_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = codecs.kl_divergence
    monkeypatch.setattr(codecs, "kl_divergence", lambda mean, log: inner(mean, 0.9 * log))
    assert not all(result.passed for result in nats_of_latents())


def test_another_code_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def last(self: VectorQuantiser, z: Tensor) -> Tensor:
        return torch.full((len(z), *z.shape[2:]), self.codes - 1)

    monkeypatch.setattr(VectorQuantiser, "indices", last)
    assert not all(result.passed for result in codes_are_the_nearest())


def test_a_forgotten_mean_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LatentCodec, "normalise", lambda self, kept: kept / self.std)
    assert not all(result.passed for result in latents_are_normal())


def test_wrong_decibels_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = codecs.psnr
    monkeypatch.setattr(codecs, "psnr", lambda a, b: 1.01 * inner(a, b))
    assert not all(result.passed for result in decibels_are_decibels())
