"""Returning from noise to data: samplers, time grids, and the one loop."""

from typing import Any

from unfog.sample.adaptive import Adaptive
from unfog.sample.ancestral import Ancestral
from unfog.sample.base import Sampler, Step, trajectory
from unfog.sample.closing import Closing
from unfog.sample.corrector import PredictorCorrector
from unfog.sample.ddim import DDIM
from unfog.sample.ddpm import DDPM
from unfog.sample.deis import DEIS
from unfog.sample.dpmpp import DPMSolver2M
from unfog.sample.dpmpp2s import DPMSolver2S
from unfog.sample.dpmpp3m import DPMSolver3M
from unfog.sample.euler import Euler
from unfog.sample.euler_maruyama import EulerMaruyama
from unfog.sample.exchange import Exchange
from unfog.sample.grid import Grid, karras, log_snr, quadratic, shifted, through, uniform
from unfog.sample.heun import Heun
from unfog.sample.ipndm import IPNDM
from unfog.sample.langevin import Langevin
from unfog.sample.learned import Learned
from unfog.sample.length import LengthFirst
from unfog.sample.ordered import Confidence, Entropy, Margin, Random, Reading, Threshold
from unfog.sample.remask import Remask
from unfog.sample.restart import Restart
from unfog.sample.rk4 import RK4
from unfog.sample.sde2m import SDESolver2M
from unfog.sample.tokens import even
from unfog.sample.unipc import UniPC
from unfog.sample.unrepeated import Unrepeated

SAMPLERS: dict[str, type[Sampler[Any]]] = {
    # the chain and its deterministic reading
    "ddpm": DDPM,
    "ddim": DDIM,
    # the probability flow as an ODE
    "euler": Euler,
    "heun": Heun,
    "rk4": RK4,
    "adaptive": Adaptive,
    "dpm++1": DDIM,  # two names of one step
    "dpm++2s": DPMSolver2S,
    "dpm++2m": DPMSolver2M,
    "dpm++3m": DPMSolver3M,
    "unipc": UniPC,
    "deis": DEIS,
    "ipndm": IPNDM,
    "learned": Learned,
    # the reverse SDE
    "euler-maruyama": EulerMaruyama,
    "sde-dpm++2m": SDESolver2M,
    "restart": Restart,
    # the score alone
    "langevin": Langevin,
    "pc": PredictorCorrector,
}

TOKEN_SAMPLERS: dict[str, type[Sampler[Any, Any]]] = {
    # of masked diffusion
    "ancestral": Ancestral,
    "confidence": Confidence,
    "entropy": Entropy,
    "margin": Margin,
    "threshold": Threshold,
    "random": Random,
    "reading": Reading,
    "remask": Remask,
    # of uniform diffusion
    "uniform": Exchange,
}

GRIDS: dict[str, Grid] = {
    "uniform": uniform,
    "quadratic": quadratic,
    "karras": karras,
    "log-snr": log_snr,
    "exponential": log_snr,  # two names of one grid
    "shifted": shifted,
}

__all__ = [
    "DDIM",
    "DDPM",
    "DEIS",
    "GRIDS",
    "IPNDM",
    "RK4",
    "SAMPLERS",
    "TOKEN_SAMPLERS",
    "Adaptive",
    "Ancestral",
    "Closing",
    "Confidence",
    "DPMSolver2M",
    "DPMSolver2S",
    "DPMSolver3M",
    "Entropy",
    "Euler",
    "EulerMaruyama",
    "Exchange",
    "Grid",
    "Heun",
    "Langevin",
    "Learned",
    "LengthFirst",
    "Margin",
    "PredictorCorrector",
    "Random",
    "Reading",
    "Remask",
    "Restart",
    "SDESolver2M",
    "Sampler",
    "Step",
    "Threshold",
    "UniPC",
    "Unrepeated",
    "even",
    "karras",
    "log_snr",
    "quadratic",
    "shifted",
    "through",
    "trajectory",
    "uniform",
]
