"""How data is lost in noise, step by step or continuously."""

from unfog.process.base import Process
from unfog.process.gaussian import GaussianProcess
from unfog.process.schedule import DDPM, EDM, VE, VP, Cosine, Flow, Schedule, SubVP

SCHEDULES: dict[str, type[Schedule]] = {
    "ddpm": DDPM,
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
    "Cosine",
    "Flow",
    "GaussianProcess",
    "Process",
    "Schedule",
    "SubVP",
]
