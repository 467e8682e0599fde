"""Drawing samples: seconds per 1,000 with the default settings, and the cost outside the network.

    python benchmarks/sampling.py [--model RUN] [--samples 1000] [--rounds 3] [--threads N]

Speed does not depend on the values of the weights, so an untrained model of the default recipe is measured
unless `--model` names a trained one. The second table replaces the network by a constant and times what is
left of a step, beside diffusers' schedulers and the loop of denoising-diffusion-pytorch where they are
installed (28 x 28 grey pictures), and what share of a step with the default network that is.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import statistics
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from machine import Block, describe, facts, interleave, median_seconds
from peers import stand_in_for_torchvision
from torch import Tensor, nn

from unfog.codec import PixelStatistics
from unfog.model import PictureModel, load
from unfog.sample import SAMPLERS
from unfog.spec import Sampling, Spec

AIM_SECONDS = 6.0  # for 1,000 digits
STEPS = 50  # of each sampler in the second table
SHAPE = (1, 28, 28)


def default_model(path: str | None) -> PictureModel:
    """The model to time: a trained one, or a fresh one of the default recipe on the digits."""
    if path is not None:
        return load(path)
    from ours import Ours

    return Ours("unfog-labels", 0).model.eval()


class Counted(nn.Module):
    """A network that remembers the batch sizes it was called with."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.calls = inner, list[int]()

    def forward(self, x: Tensor, clock: Tensor, **slots: Tensor) -> Tensor:
        self.calls.append(len(x))
        return self.inner(x, clock, **slots)


def whole(model: PictureModel, samples: int, rounds: int) -> list[str]:
    """Time `samples` pictures against the same network calls alone, in interleaved rounds; in words."""
    labels = model.choose_labels(samples)
    network = model.denoiser.network
    counted = Counted(network)
    model.denoiser.network = counted
    model.draw(labels, samples)
    model.denoiser.network = network
    inputs = {size: torch.randn(size, *model.shape) for size in set(counted.calls)}
    width = model.encoder.table.embedding_dim if model.encoder is not None else None

    def calls_alone() -> None:
        with torch.inference_mode():
            for size in counted.calls:
                slots = {} if width is None else {"vector": torch.zeros(size, width)}
                network(inputs[size], torch.zeros(size), **slots)

    works = {"draw": lambda: model.draw(labels, samples), "calls": calls_alone}
    blocks = interleave(works, rounds, warm=0)
    seconds = median_seconds(blocks["draw"]) * 1000 / samples
    outside = [1 - b.seconds / a.seconds for a, b in zip(blocks["draw"], blocks["calls"], strict=True)]
    scaled = "" if samples == 1000 else f" (scaled from {samples})"
    used, busy = model.spec.sampling, statistics.median(block.others for block in blocks["draw"])
    return [
        f"1,000 samples: {seconds:.2f} s{scaled} (aim: <= {AIM_SECONDS:g} s); others used {busy:.2f} cores",
        f"settings: {used.sampler}, {used.steps} steps, grid {used.grid}, guidance {used.guidance:g}; "
        f"{len(counted.calls)} network calls of up to {max(counted.calls)} pictures",
        f"outside the network: {statistics.median(outside):.1%} of the time",
    ]


def free_model() -> PictureModel:
    """A model of the digits' shape whose network costs nothing."""
    statistics_ = PixelStatistics(SHAPE, 1, (0.5,), (0.25,), 0.0, 1.0, 0.0, 0.0)
    network = {"kind": "unet", "widths": [16], "depth": 1}
    spec = Spec("image", network, {"kind": "cosine"}, "v", statistics_.to_dict())
    model = PictureModel(spec)
    model.denoiser.network = Constant()
    return model


class Constant(nn.Module):
    """Answers every call with the same numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(()))  # a model asks its parameters which device it is on
        self.answers: dict[torch.Size, Tensor] = {}

    def forward(self, x: Tensor, clock: Tensor) -> Tensor:
        if x.shape not in self.answers:
            self.answers[x.shape] = torch.randn(x.shape)
        return self.answers[x.shape]


def our_loops(batch: int) -> dict[str, Callable[[], Any]]:
    """A run of each unfog sampler around a free network, all included: seeds, grid, prior, checks."""
    model = free_model()
    plain = Sampling(steps=STEPS, threshold="none")
    loops = {}
    for name in SAMPLERS:
        chosen = replace(plain, sampler=name)
        loops[f"unfog {name}"] = lambda chosen=chosen: list(model.walk(range(batch), None, sampling=chosen))
    return loops


def diffusers_loops(batch: int) -> dict[str, Callable[[], Any]]:
    """The same with diffusers' schedulers, driven by the plain loop of its documentation."""
    if importlib.util.find_spec("diffusers") is None:
        return {}
    import diffusers

    kinds = ("DDPMScheduler", "DDIMScheduler", "DPMSolverMultistepScheduler", "EulerDiscreteScheduler")
    answer = torch.randn(batch, *SHAPE)

    def run(kind: str) -> None:
        scheduler = getattr(diffusers, kind)(num_train_timesteps=1000)
        scheduler.set_timesteps(STEPS)
        x = torch.randn(batch, *SHAPE)
        with torch.inference_mode():
            for t in scheduler.timesteps:
                x = scheduler.step(answer, t, scheduler.scale_model_input(x, t)).prev_sample

    return {f"diffusers {kind.removesuffix('Scheduler')}": lambda kind=kind: run(kind) for kind in kinds}


class Stub(Constant):
    """The same with what denoising-diffusion-pytorch asks of a network."""

    channels = out_dim = SHAPE[0]
    self_condition = random_or_learned_sinusoidal_cond = False

    def forward(self, x: Tensor, clock: Tensor, self_condition: Tensor | None = None) -> Tensor:
        return super().forward(x, clock)


def peer_loops(batch: int) -> dict[str, Callable[[], Any]]:
    """The same with denoising-diffusion-pytorch's own loops, as it ships them."""
    if importlib.util.find_spec("denoising_diffusion_pytorch") is None:
        return {}
    with stand_in_for_torchvision():
        from denoising_diffusion_pytorch import GaussianDiffusion

    loops = {}
    for name, chain in (("DDPM", STEPS), ("DDIM", 1000)):
        diffusion = GaussianDiffusion(Stub(), image_size=28, timesteps=chain, sampling_timesteps=STEPS)
        diffusion.eval()

        def run(diffusion: Any = diffusion) -> None:
            with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
                diffusion.sample(batch_size=batch)

        loops[f"denoising-diffusion-pytorch {name}"] = run
    return loops


def network_seconds(model: PictureModel, batch: int, rounds: int) -> float:
    """One call of the network on so many pictures."""
    x, clock = torch.randn(batch, *model.shape), torch.zeros(batch)
    width = model.encoder.table.embedding_dim if model.encoder is not None else None
    slots = {} if width is None else {"vector": torch.zeros(batch, width)}

    def calls() -> None:
        with torch.inference_mode():
            for _ in range(STEPS):
                model.denoiser.network(x, clock, **slots)

    return median_seconds(interleave({"calls": calls}, rounds)["calls"]) / STEPS


def overhead(model: PictureModel, rounds: int) -> list[str]:
    """Microseconds per step outside the network, as Markdown."""
    call = network_seconds(model, 16, rounds)
    lines = [
        f"One call of the default network on 16 pictures: {call * 1e3:.2f} ms.\n",
        "| sampler, 50 steps | us per step, batch 1 | us per step, batch 16 | share of a step, batch 16 |",
        "| --- | --- | --- | --- |",
    ]
    found: list[dict[str, list[Block]]] = []
    for batch in (1, 16):
        found.append(interleave({**our_loops(batch), **diffusers_loops(batch), **peer_loops(batch)}, rounds))
    for name in found[0]:
        one, many = (median_seconds(blocks[name]) / STEPS for blocks in found)
        kind = SAMPLERS.get(name.removeprefix("unfog "))
        calls = kind.calls if kind is not None else 1
        share = f"{many / (many + calls * call):.1%}" if kind is None or kind.order else ""
        lines.append(f"| {name} | {one * 1e6:.0f} | {many * 1e6:.0f} | {share} |")
    return lines


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--model", help="a trained model or run; an untrained one when left out")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own choice)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(describe(facts(["unfog", "diffusers"])), f"{torch.get_num_threads()} threads", sep=", ", flush=True)
    model = default_model(options.model)
    print("\n".join(whole(model, options.samples, options.rounds)), flush=True)
    print()
    print("\n".join(overhead(model, max(5, options.rounds))))


if __name__ == "__main__":
    main()
