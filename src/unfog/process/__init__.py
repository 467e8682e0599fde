"""How data is lost in noise, step by step or continuously."""

from unfog.process.base import Process
from unfog.process.chain import DDPM, Chain, DDPMCosine
from unfog.process.discrete import (
    CosineKeep,
    DiscreteProcess,
    GeometricKeep,
    Keep,
    LinearKeep,
    PolynomialKeep,
)
from unfog.process.gaussian import GaussianProcess
from unfog.process.masked import MaskedProcess
from unfog.process.schedule import EDM, VE, VP, Cosine, Flow, Schedule, SubVP
from unfog.process.uniform import UniformProcess

SCHEDULES: dict[str, type[Schedule]] = {
    "ddpm": DDPM,
    "ddpm-cosine": DDPMCosine,
    "cosine": Cosine,
    "vp": VP,
    "sub-vp": SubVP,
    "ve": VE,
    "edm": EDM,
    "flow": Flow,
}

KEEPS: dict[str, type[Keep]] = {
    "linear": LinearKeep,
    "cosine": CosineKeep,
    "polynomial": PolynomialKeep,
    "geometric": GeometricKeep,
}

DISCRETE: dict[str, type[DiscreteProcess]] = {"masked": MaskedProcess, "uniform": UniformProcess}

__all__ = [
    "DDPM",
    "DISCRETE",
    "EDM",
    "KEEPS",
    "SCHEDULES",
    "VE",
    "VP",
    "Chain",
    "Cosine",
    "CosineKeep",
    "DDPMCosine",
    "DiscreteProcess",
    "Flow",
    "GaussianProcess",
    "GeometricKeep",
    "Keep",
    "LinearKeep",
    "MaskedProcess",
    "PolynomialKeep",
    "Process",
    "Schedule",
    "SubVP",
    "UniformProcess",
]
