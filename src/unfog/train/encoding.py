"""What a training step of an autoencoder minimises: how unlike the picture the reconstruction is.

    pixels        mean absolute error, in the units of -1 (black) to 1 (white)
    features      the same of random features on a pyramid of scales (``nets/perceptual.py``)
    latents       kl: nats from a standard normal, each number of the latents, weighted by little: it keeps
                  latents in reach of each other and costs sharpness; vq: how far latents and codes are apart
    adversarial   where it is asked for: how sure a judge of patches is that they are painted

Two more things learn in the same step, so that one optimiser and one loop are enough. The judge has to tell
pictures from reconstructions; it sees the reconstructions without a way back to who made them, and who made
them sees the judge with its weights held. The small decoder has to say what the large one says. Both are
taught by gradients only: their losses do not count in the loss that is told and watched, since the loss of a
game says nothing about progress. The judge is part of the objective and not of the model, so it is in
checkpoints, and neither in the model nor in its averages.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from unfog.model.codec import CodecModel
from unfog.nets.autoencoder import kl_divergence
from unfog.nets.discriminator import PatchDiscriminator
from unfog.nets.perceptual import RandomPyramid
from unfog.rng import Noise
from unfog.train.config import CodecTrainConfig
from unfog.train.objective import Batch, Objective

SLICE = 16 * 64 * 64  # pixels whose traces a processor does well to compute together, which bounds memory


class EncodingObjective(Objective):
    """The loss of a codec.

    Args:
        model: whose autoencoder and small decoder are trained.
        config: weights of its parts.
    """

    def __init__(self, model: CodecModel, config: CodecTrainConfig) -> None:
        super().__init__()
        self.autoencoder, self.tiny, self.config = model.codec.autoencoder, model.codec.tiny, config
        self.latent = model.codec.latent
        channels = model.codec.shape[0]
        self.features = RandomPyramid(channels)
        self.judge = PatchDiscriminator(channels) if config.adversarial else None
        self.at_once = max(1, SLICE // (model.shape[1] * model.shape[2]))
        self.to(model.device)

    def draw(self, batch: Batch, rng: Noise, *, hide: float | None = None) -> Batch:
        """Pictures (B, C, H, W) and the noise of their latents (B, c, h, w)."""
        raw = batch[0]
        assert raw is not None
        return raw, rng.normal((len(raw), *self.latent))

    def forward(self, *drawn: Tensor | None) -> Tensor:
        """See ``Objective.forward``."""
        raw, noise = drawn
        assert raw is not None and noise is not None
        x = raw.to(noise.device, torch.float32) / 127.5 - 1
        mean, log_variance = self.autoencoder.moments(x)
        # held-out pictures are asked about as they will be used: without noise
        noisy = self.training and log_variance is not None
        z = mean + (log_variance / 2).exp() * noise if noisy and log_variance is not None else mean
        again = self.autoencoder.decode(z)
        loss = difference(again, x) + self._latent_loss(mean, log_variance)
        if self.config.perceptual:
            loss = loss + self.config.perceptual * self.features(again, x)
        if self.training:
            taught = self._adversarial(again, x) + self._distilled(z.detach(), again.detach())
            loss = loss + (taught - taught.detach())
        return loss

    def _latent_loss(self, mean: Tensor, log_variance: Tensor | None) -> Tensor:
        if log_variance is not None:
            return self.config.kl * kl_divergence(mean, log_variance)
        if self.autoencoder.quantiser is not None:
            return self.autoencoder.quantiser.loss(mean, self.config.commitment)
        return mean.new_zeros(len(mean))

    def _adversarial(self, again: Tensor, x: Tensor) -> Tensor:
        """What the painter pays to a judge with held weights, and the judge for its errors (hinge), (B,)."""
        if self.judge is None:
            return again.new_zeros(len(again))
        held = {name: weight.detach() for name, weight in self.judge.named_parameters()}
        painted = -functional_call(self.judge, held, (again,)).flatten(1).mean(1)
        real, false = self.judge(x), self.judge(again.detach())
        judged = F.relu(1 - real).flatten(1).mean(1) + F.relu(1 + false).flatten(1).mean(1)
        both: Tensor = self.config.adversarial * painted + judged
        return both

    def _distilled(self, z: Tensor, again: Tensor) -> Tensor:
        return again.new_zeros(len(again)) if self.tiny is None else difference(self.tiny(z), again)


def difference(one: Tensor, other: Tensor) -> Tensor:
    """Mean absolute difference of pictures (B, C, H, W), (B,)."""
    each: Tensor = (one - other).abs().flatten(1).mean(1)
    return each
