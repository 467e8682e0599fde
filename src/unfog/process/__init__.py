"""How data is lost in noise, step by step or continuously."""

from unfog.process.base import Process
from unfog.process.chain import DDPM, Chain, DDPMCosine
from unfog.process.gaussian import GaussianProcess
from unfog.process.schedule import EDM, VE, VP, Cosine, Flow, Schedule, SubVP

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

__all__ = [
    "DDPM",
    "EDM",
    "SCHEDULES",
    "VE",
    "VP",
    "Chain",
    "Cosine",
    "DDPMCosine",
    "Flow",
    "GaussianProcess",
    "Process",
    "Schedule",
    "SubVP",
]
