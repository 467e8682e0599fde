"""The two libraries that unfog is compared with, each with its own usual recipe, on 28x28 grey pictures.

Needs, beside torch: `diffusers==0.42.1`, `einops`, `ema-pytorch` and `denoising-diffusion-pytorch==2.3.4`
(the last one with `--no-deps`: it names torchvision, which would replace the CPU build of torch and is not
used here).
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
import types
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

BATCH = 16
LEARNING_RATE = 1e-4
TIMES = 1000  # diffusion steps of both recipes
CALLS = 20  # network calls per sample: DDIM with clipping of the clean guess, for both
SAMPLE_BATCH = 50

os.environ.setdefault("HF_HUB_OFFLINE", "1")


class Peer(ABC):
    """A library with its recipe: `advance` trains one step, `sample` draws pictures.

    Args:
        pictures: what to learn, (N, 1, 28, 28) in [-1, 1].
        seed: of weights, order and noise.
        batch: pictures per step.

    Attributes:
        network: the part that is called at every step.
        title: its name in tables.
        packages: the distributions whose versions the tables name.
    """

    network: nn.Module
    title: str
    packages: tuple[str, ...]
    setup = 0.0  # seconds of preparation that come off the training time

    @abstractmethod
    def train_on(self, x: Tensor) -> float:
        """One optimiser step on pictures (B, 1, 28, 28) in [-1, 1]; returns the loss."""

    @abstractmethod
    def finish(self) -> None:
        """Put the averaged weights in place; no training afterwards."""

    @abstractmethod
    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """One batch of samples (count, 1, 28, 28) in [-1, 1]."""

    @property
    @abstractmethod
    def kept(self) -> nn.Module:
        """The module that holds the averaged weights."""

    def __init__(self, pictures: Tensor, seed: int, batch: int = BATCH) -> None:
        self.batch, self.batches = batch, _endless(pictures, batch)
        torch.manual_seed(seed)

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        return sum(weight.numel() for weight in self.network.parameters())

    def advance(self) -> float:
        """Train one step on the next batch; returns the loss."""
        return self.train_on(next(self.batches))

    def learn(self) -> None:
        """The network's part of a step; its optimiser multiplies no matrices, so it is the whole step."""
        self.advance()

    def train(self, steps: int) -> list[float]:
        """Train for that many steps and put the averaged weights in place; returns the losses."""
        losses = []
        for step in range(1, steps + 1):
            losses.append(self.advance())
            if step % 100 == 0:
                print(
                    f"{self.title}: step {step} of {steps}, loss {sum(losses[-100:]) / 100:.4f}", flush=True
                )
        self.finish()
        return losses

    def sample(self, count: int, seed: int) -> tuple[Tensor, None]:
        """Draw `count` samples in batches of 50, reproducible by seed; without labels."""
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        sizes = [min(SAMPLE_BATCH, count - start) for start in range(0, count, SAMPLE_BATCH)]
        with torch.inference_mode():
            return torch.cat([self.draw(size, generator) for size in sizes]), None

    def save(self, path: Path) -> None:
        """Keep the averaged weights, so that sampling can be repeated without training."""
        state = self.kept.state_dict()
        save_file({name: value.detach().clone().contiguous() for name, value in state.items()}, path)

    def load(self, path: Path) -> None:
        """Take back what `save` kept; ready to sample."""
        self.kept.load_state_dict(load_file(path))


class Diffusers(Peer):
    """UNet2DModel with the settings of diffusers' unconditional training example, scaled to digits."""

    title = "diffusers UNet2DModel, DDPM recipe"
    packages = ("diffusers",)

    def __init__(self, pictures: Tensor, seed: int, batch: int = BATCH) -> None:
        from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel
        from diffusers.optimization import get_scheduler
        from diffusers.training_utils import EMAModel

        super().__init__(pictures, seed, batch)
        self.network = UNet2DModel(
            sample_size=28,
            in_channels=1,
            out_channels=1,
            layers_per_block=1,
            block_out_channels=(32, 64, 128),
            down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=32,
        )
        weights = list(self.network.parameters())
        self.noising = DDPMScheduler(num_train_timesteps=TIMES)  # linear betas, the network predicts noise
        self.sampler = DDIMScheduler(TIMES)  # clips the clean guess by default
        self.optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, betas=(0.95, 0.999), weight_decay=1e-6)
        self.rate = get_scheduler("cosine", self.optimizer, num_warmup_steps=500, num_training_steps=100_000)
        self.average = EMAModel(weights, decay=0.9999, use_ema_warmup=True, inv_gamma=1.0, power=0.75)

    @property
    def kept(self) -> nn.Module:
        return self.network

    def train_on(self, x: Tensor) -> float:
        noise, t = torch.randn_like(x), torch.randint(0, TIMES, (len(x),))
        loss = F.mse_loss(self.network(self.noising.add_noise(x, noise, t), t).sample, noise)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.rate.step()
        self.optimizer.zero_grad()
        self.average.step(self.network.parameters())
        return loss.item()

    def finish(self) -> None:
        self.average.copy_to(self.network.parameters())
        self.network.eval()

    def load(self, path: Path) -> None:
        super().load(path)
        self.network.eval()

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        x = torch.randn(count, 1, 28, 28, generator=generator)
        self.sampler.set_timesteps(CALLS)  # the scheduler remembers its place: reset it for every batch
        for t in self.sampler.timesteps:
            x = self.sampler.step(self.network(x, t).sample, t, x).prev_sample
        return x.clamp(-1, 1)


class DenoisingDiffusion(Peer):
    """denoising-diffusion-pytorch: its Unet, its GaussianDiffusion defaults, the settings of its Trainer."""

    title = "denoising-diffusion-pytorch, Trainer recipe"
    packages = ("denoising-diffusion-pytorch", "ema-pytorch")

    def __init__(self, pictures: Tensor, seed: int, batch: int = BATCH) -> None:
        with stand_in_for_torchvision():
            import denoising_diffusion_pytorch as library
            from denoising_diffusion_pytorch import denoising_diffusion_pytorch as inner
            from ema_pytorch import EMA

        inner.tqdm = lambda steps, **_: steps  # no progress bars among the figures
        super().__init__(pictures, seed, batch)
        self.network = library.Unet(dim=32, dim_mults=(1, 2, 4), channels=1, flash_attn=True)
        self.diffusion = library.GaussianDiffusion(
            self.network, image_size=28, timesteps=TIMES, sampling_timesteps=CALLS
        )
        self.optimizer = torch.optim.Adam(self.diffusion.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99))
        self.average = EMA(self.diffusion, beta=0.995, update_every=10)

    @property
    def kept(self) -> nn.Module:
        return self.average.ema_model

    def train_on(self, x: Tensor) -> float:
        loss = self.diffusion((x + 1) / 2)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.diffusion.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.average.update()
        return loss.item()

    def finish(self) -> None:
        """Nothing to do: the average lives in its own copy."""

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        return self.average.ema_model.sample(batch_size=count) * 2 - 1  # draws from torch's global generator


PEERS: dict[str, type[Peer]] = {"diffusers": Diffusers, "ddp": DenoisingDiffusion}


def available() -> dict[str, type[Peer]]:
    """The peers that are installed here."""
    modules = {"diffusers": "diffusers", "ddp": "denoising_diffusion_pytorch"}
    return {name: peer for name, peer in PEERS.items() if importlib.util.find_spec(modules[name])}


def _endless(pictures: Tensor, batch_size: int) -> Iterator[Tensor]:
    loader = DataLoader(TensorDataset(pictures), batch_size=batch_size, shuffle=True, drop_last=True)
    while True:
        for (batch,) in loader:
            yield batch


@contextmanager
def stand_in_for_torchvision() -> Iterator[None]:
    """denoising-diffusion-pytorch imports torchvision and pytorch_fid, but trains without them.

    The stand-ins are taken away again at the end: other libraries ask whether torchvision is there.
    """
    names = {
        "torchvision": (),
        "torchvision.transforms": (),
        "torchvision.utils": ("save_image",),
        "pytorch_fid": (),
        "pytorch_fid.fid_score": ("calculate_frechet_distance",),
        "pytorch_fid.inception": ("InceptionV3",),
    }
    missing = {name: members for name, members in names.items() if name not in sys.modules}
    for name, members in missing.items():
        module = types.ModuleType(name)
        for member in members:
            setattr(module, member, object)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
        sys.modules[name] = module
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]
