"""The other side of `parity.py`: diffusers' schedulers, driven along their own grids with a network of ours.

Each scheduler is built and asked for its grid through its public interface; the noise levels that it then
holds are read from it and become the grid of both sides. The schedulers keep their tables in float32 and cast
what they are given to it. For the comparison in float64 their source is read with `float32` written as
`float64`, and torch's default type is that too; nothing else is changed. That shows differences of 1e-12
where float32 hides those below 1e-5. The same door takes the changes of a line that explain a difference.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.abc import InspectLoader
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from unfog.denoise import Denoiser, GaussianPosterior
from unfog.process import GaussianProcess
from unfog.rng import Noise

Changes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Road:
    """Where a scheduler calls the network and where its steps end, as noise-to-signal ratios, float64.

    Attributes:
        calls: one ratio for each call of `scheduler.step`, in order.
        grid: the ratios (N + 1,) that N steps begin and end at.
    """

    calls: Tensor
    grid: Tensor


Lay = Callable[[Any, int], Road]

# these keep x + ratio e where others keep alpha x + sigma e; with alpha = 1 that is the same
LARGE = {"HeunDiscreteScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler"}

# what they want to hear, where it is not v
KINDS = {
    "FlowMatchEulerDiscreteScheduler": "flow",
    "FlowMatchHeunDiscreteScheduler": "flow",
    "ScoreSdeVeScheduler": "score",
}


class _Changed(InspectLoader):
    """Loads a module of diffusers from a source with some words replaced."""

    def __init__(self, original: ModuleType, changes: Changes, double: bool) -> None:
        self.original, self.changes, self.double = original, changes, double

    def get_source(self, fullname: str) -> str:
        source = inspect.getsource(self.original)
        for old, new in self.changes:
            if old not in source:
                name = self.original.__name__
                raise LookupError(f"{name} has no {old!r}: these pairs are for diffusers 0.42.1")
            source = source.replace(old, new)
        return source.replace("float32", "float64") if self.double else source


@lru_cache(maxsize=128)
def module_of(scheduler: str, changes: Changes, double: bool) -> ModuleType:
    """A changed copy of the module that holds a scheduler; diffusers itself stays as it is."""
    import diffusers

    original = sys.modules[getattr(diffusers, scheduler).__module__]
    name = f"{original.__name__}_{abs(hash((scheduler, changes, double)))}"
    spec = importlib.util.spec_from_loader(name, _Changed(original, changes, double))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def walk(
    scheduler: str,
    options: dict[str, Any],
    lay: Lay,
    steps: int,
    denoiser: Callable[[GaussianProcess], Denoiser],
    process: GaussianProcess,
    begin: Callable[[Tensor], Tensor],
    rng: Noise,
    *,
    double: bool,
    changes: Changes = (),
    stepping: dict[str, Any] | None = None,
) -> tuple[Tensor, Tensor]:
    """Draw with a scheduler of diffusers.

    Args:
        scheduler, options: its class and configuration.
        lay: sets its grid for `steps` steps and reads it.
        denoiser: makes the denoiser that both sides call.
        begin: x_T for a grid of times, (B, *S).
        rng: where the scheduler's random numbers are taken from.
        double: whether the scheduler computes in float64.
        changes: replacements in its source.
        stepping: further arguments of its `step`.

    Returns:
        x at the end (B, *S), and the grid of times that was walked.
    """
    module = module_of(scheduler, changes, double)
    module.randn_tensor = lambda shape, dtype=None, **_: rng.normal(shape, torch.empty(0, dtype=dtype))
    chosen = getattr(module, scheduler)(**options)
    with _default(torch.float64 if double else torch.float32):
        road = lay(chosen, steps)
    calls, grid = (process.schedule.time(-ratio.log()) for ratio in (road.calls, road.grid))
    large, inner = scheduler in LARGE, denoiser(process)
    kind = KINDS.get(scheduler, "flow" if options.get("prediction_type") == "flow_prediction" else "v")

    def answer(x: Tensor, t: Tensor) -> Tensor:
        return output(inner(x * process.scales(t)[0] if large else x, t), kind)

    # for a change that asks the network again, at another level (on schedules with alpha = 1)
    chosen.ask = lambda x, sigma: answer(x, process.schedule.time(-sigma.double().log()))
    x = begin(grid)
    x = x / process.scales(grid[0])[0] if large else x
    for index, (timestep, t) in enumerate(zip(chosen.timesteps, calls, strict=True)):
        if hasattr(chosen, "scale_model_input"):
            chosen.scale_model_input(x, timestep)  # some insist on being asked
        with _default(torch.float64 if double else torch.float32):
            if kind == "score":
                moved = chosen.step_pred(answer(x, t), timestep, x)
                # its pipeline leaves the noise of the last step away
                x = moved.prev_sample if index + 1 < len(calls) else moved.prev_sample_mean
            else:
                x = chosen.step(answer(x, t), timestep, x, **(stepping or {})).prev_sample
    return (x * process.scales(grid[-1])[0] if large else x), grid


@contextmanager
def _default(dtype: torch.dtype) -> Iterator[None]:
    """The type that torch gives to numbers without one."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def output(posterior: GaussianPosterior, kind: str) -> Tensor:
    """What a network that predicts v, the score, or the velocity of the straight flow would say, (B, *S)."""
    if kind == "flow":
        return posterior.noise - posterior.mean
    if kind == "score":
        return posterior.score
    norm = torch.rsqrt(posterior.alpha**2 + posterior.sigma**2)
    return norm * (posterior.alpha * posterior.noise - posterior.sigma * posterior.mean)


def _ended(ratios: Tensor) -> Road:
    """One call at the beginning of each step."""
    return Road(ratios[:-1].double(), ratios.double())


def by_products(scheduler: Any, steps: int) -> Road:
    """DDPM and DDIM hold the products of alpha squared; the offset makes their strides reach the data.

    Without it the grid would begin at (steps - 1) strides and end a step of length 1 before 0.
    """
    scheduler.register_to_config(timestep_spacing="leading", steps_offset=1000 // steps - 1)
    scheduler.set_timesteps(steps)
    product = scheduler.alphas_cumprod[scheduler.timesteps]
    return _ended(torch.cat([((1 - product) / product).sqrt(), torch.zeros(1)]))


def by_sigmas(scheduler: Any, steps: int) -> Road:
    """Most hold sigma / alpha."""
    scheduler.set_timesteps(steps)
    return _ended(scheduler.sigmas)


def by_strides(scheduler: Any, steps: int) -> Road:
    """The grid of `by_products`, for those that hold sigma / alpha."""
    scheduler.register_to_config(timestep_spacing="leading", steps_offset=1000 // steps - 1)
    return by_sigmas(scheduler, steps)


def geometric(scheduler: Any, steps: int) -> Road:
    """The levels of score-based models, from the highest to the lowest, then 0."""
    scheduler.set_timesteps(steps)
    scheduler.set_sigmas(steps)
    return _ended(torch.cat([scheduler.discrete_sigmas.flip(0), torch.zeros(1)]))


def by_flow(scheduler: Any, steps: int) -> Road:
    """On the straight line they hold sigma alone."""
    scheduler.set_timesteps(steps)
    return _ended(scheduler.sigmas.double() / (1 - scheduler.sigmas.double()))


def heun(scheduler: Any, steps: int) -> Road:
    """Heun's scheduler lists every level twice but the first and the last."""
    if hasattr(scheduler.config, "timestep_spacing"):
        scheduler.register_to_config(timestep_spacing="leading", steps_offset=1000 // steps - 1)
    scheduler.set_timesteps(steps)
    levels = scheduler.sigmas.double()
    levels = levels / (1 - levels) if "FlowMatch" in type(scheduler).__name__ else levels
    grid = torch.cat([levels[:1], levels[1::2]])
    return Road(torch.cat([grid[:1], grid[1:-1].repeat_interleave(2)]), grid)


def halved(scheduler: Any, steps: int) -> Road:
    """A step of two calls spans two levels of the single-step scheduler: the inner one is put in the middle.

    In the middle of l, where unfog looks; the scheduler takes any levels. The last step, to 0, has one call.
    """
    scheduler.set_timesteps(steps)
    outer = scheduler.sigmas.clone()
    scheduler.set_timesteps(2 * steps - 1)
    levels = torch.zeros(2 * steps, dtype=outer.dtype)
    levels[0:-1:2] = outer[:-1]
    levels[1:-1:2] = (outer[:-2] * outer[1:-1]).sqrt()
    scheduler.sigmas = levels
    return Road(levels[:-1].double(), torch.cat([levels[:-1:2], levels[-1:]]).double())


def quarter_turn(first: float, last: float) -> Lay:
    """iPNDM takes a list of sigmas; between two times of the cosine schedule. 1 and 0 are its own choice."""

    def lay(scheduler: Any, steps: int) -> Road:
        times = torch.linspace(first, last, steps + 1, dtype=torch.float64)
        scheduler.register_to_config(trained_betas=torch.sin(times * (torch.pi / 2)).tolist())
        scheduler.set_timesteps(steps)
        return _ended(scheduler.betas.double() / (1 - scheduler.betas.double() ** 2).sqrt())

    return lay
