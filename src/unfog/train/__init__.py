"""Learning: objective, the one trainer, averages of weights, checkpoints, the watchdog."""

from unfog.train.batches import Batches
from unfog.train.config import TrainConfig
from unfog.train.fit import Training, TrainStep, fit
from unfog.train.objective import WEIGHTS, Objective
from unfog.train.watch import Watch

__all__ = ["WEIGHTS", "Batches", "Objective", "TrainConfig", "TrainStep", "Training", "Watch", "fit"]
