"""Returning from noise to data: samplers, time grids, and the one loop."""

from typing import Any

from unfog.sample.base import Sampler, Step, trajectory
from unfog.sample.ddim import DDIM
from unfog.sample.ddpm import DDPM
from unfog.sample.dpmpp import DPMSolver2M
from unfog.sample.grid import Grid, karras, log_snr, uniform
from unfog.sample.heun import Heun

SAMPLERS: dict[str, type[Sampler[Any]]] = {
    "ddpm": DDPM,
    "ddim": DDIM,
    "heun": Heun,
    "dpm++2m": DPMSolver2M,
}

GRIDS: dict[str, Grid] = {"uniform": uniform, "karras": karras, "log-snr": log_snr}

__all__ = ["GRIDS", "SAMPLERS", "Grid", "Sampler", "Step", "karras", "log_snr", "trajectory", "uniform"]
