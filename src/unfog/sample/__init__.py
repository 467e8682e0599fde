"""Returning from noise to data: samplers, time grids, and the one loop."""

from typing import Any

from unfog.sample.base import Sampler, Step, trajectory
from unfog.sample.ddim import DDIM
from unfog.sample.ddpm import DDPM
from unfog.sample.deis import DEIS
from unfog.sample.dpmpp import DPMSolver2M
from unfog.sample.dpmpp2s import DPMSolver2S
from unfog.sample.dpmpp3m import DPMSolver3M
from unfog.sample.grid import Grid, karras, log_snr, uniform
from unfog.sample.heun import Heun
from unfog.sample.ipndm import IPNDM
from unfog.sample.sde2m import SDESolver2M
from unfog.sample.unipc import UniPC

SAMPLERS: dict[str, type[Sampler[Any]]] = {
    "ddpm": DDPM,
    "ddim": DDIM,
    "heun": Heun,
    "dpm++2m": DPMSolver2M,
    "dpm++2s": DPMSolver2S,
    "dpm++3m": DPMSolver3M,
    "unipc": UniPC,
    "deis": DEIS,
    "ipndm": IPNDM,
    "sde-dpm++2m": SDESolver2M,
}

GRIDS: dict[str, Grid] = {"uniform": uniform, "karras": karras, "log-snr": log_snr}

__all__ = [
    "DDIM",
    "DDPM",
    "DEIS",
    "GRIDS",
    "IPNDM",
    "SAMPLERS",
    "DPMSolver2M",
    "DPMSolver2S",
    "DPMSolver3M",
    "Grid",
    "Heun",
    "SDESolver2M",
    "Sampler",
    "Step",
    "UniPC",
    "karras",
    "log_snr",
    "trajectory",
    "uniform",
]
