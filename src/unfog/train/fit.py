"""The only trainer: a generator that takes one step each time it is asked.

Logging, previews, validation and checkpoints are therefore a plain ``for`` around it. A step depends on the
seed, the number of the step and the weights, and on nothing else; that is what makes a resumed run equal to
an uninterrupted one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.utils import broadcast
from torch import Tensor

from unfog.errors import TrainError
from unfog.model import Model
from unfog.rng import Noise, derive_seed
from unfog.train.checkpoint import Checkpoint, part
from unfog.train.config import CommonTrainConfig
from unfog.train.ema import WIDTHS, PowerAverage, Snapshot
from unfog.train.objective import Batch, Objective, slices
from unfog.train.optimise import optimisers
from unfog.train.plan import Plan
from unfog.train.watch import Watch

Source = Callable[[int], Batch]

REMEMBER_EVERY = 50  # steps between copies to roll back to
DENSITY = 1.06  # each average is kept when training is this much longer than at the last


@dataclass(frozen=True)
class TrainStep:
    """What one step did.

    Attributes:
        step: steps done so far, 1, 2, ...
        total: steps there will be, as far as known.
        loss: mean over the batch.
        gradient: norm before clipping.
        learning_rate: that was used.
        elapsed: seconds of training so far, over all sessions.
        examples_per_second: of this step.
        event: something worth telling, in words, or None.
    """

    step: int
    total: int
    loss: float
    gradient: float
    learning_rate: float
    elapsed: float
    examples_per_second: float
    event: str | None = None


class Training:
    """The state of a run: weights, optimiser, averages, plan and watchdog.

    Args:
        model: trained in place.
        source: gives the batch of any step, see ``Batches``.
        config: settings.
        accelerator: device, precision, processes; a plain one when left out.
    """

    def __init__(
        self, model: Model, source: Source, config: CommonTrainConfig, accelerator: Accelerator | None = None
    ) -> None:
        self.model, self.source, self.config = model, source, config
        self.accelerator = accelerator or Accelerator(mixed_precision=precision(config.precision))
        self.plan, self.watch = Plan.of(config), Watch()
        self.step, self.elapsed = 0, 0.0
        model.to(self.accelerator.device)
        objective = objective_of(model, config)
        # a codec that was learned before is part of the objective, and stays as it is
        self.parameters = {n: p for n, p in objective.named_parameters() if p.requires_grad}
        self.objective, *self.optimisers = self.accelerator.prepare(
            objective, *optimisers(self.parameters, config)
        )
        self.parameters = {n: p for n, p in objective.named_parameters() if p.requires_grad}
        # what only teaches (a judge) needs no average
        members = {id(p) for p in model.parameters()}
        kept = {n: p for n, p in self.parameters.items() if id(p) in members}
        self.averages = [PowerAverage(kept, width) for width in WIDTHS]
        self._good: Checkpoint | None = None

    def fit(self) -> Iterator[TrainStep]:
        """Take steps until the plan is fulfilled."""
        self.model.train()
        objective: Objective = self.accelerator.unwrap_model(self.objective)
        if self._good is None:
            self._good = self.checkpoint()
        while self.plan.total is None or self.step < self.plan.total:
            started = time.perf_counter()
            rate = self.plan.learning_rate(self.step) * self.config.learning_rate * self.watch.rate
            loss, gradient = self._gradients(self.step)
            trouble = self.watch.observe(loss, gradient)
            if trouble is None:
                self._apply(rate)
            event = self._keep_or_roll_back(trouble)
            seconds = time.perf_counter() - started
            self.elapsed = self._agreed(self.elapsed + seconds)
            if self.plan.settle(self.step, self.elapsed, objective.late_cost):
                event = event or f"Planned {self.plan.total} steps: from here the learning rate falls to 0."
            yield TrainStep(
                step=self.step,
                total=self.plan.expected(self.step, self.elapsed),
                loss=loss,
                gradient=gradient,
                learning_rate=rate,
                elapsed=self.elapsed,
                examples_per_second=self.config.batch / seconds,
                event=event,
            )

    def _agreed(self, elapsed: float) -> float:
        """The first process's clock, while the end of the run hangs on it: all must plan the same."""
        if self.plan.total is not None or self.accelerator.num_processes == 1:
            return elapsed
        clock = torch.tensor(elapsed, dtype=torch.float32, device=self.accelerator.device)
        return float(broadcast(clock, from_process=0))

    def _gradients(self, step: int) -> tuple[float, float]:
        """Loss of a step and norm of its gradient, which stays on the weights."""
        # a rollback changes the noise, or it would run into the same wall again
        seed = derive_seed(self.config.seed, "step", step, self.watch.rollbacks)
        torch.manual_seed(seed)  # dropout is the one user of the global generator
        objective: Objective = self.accelerator.unwrap_model(self.objective)
        objective.late = self.plan.falls(step)
        drawn = objective.draw(self.source(step), Noise(seed), hide=self.config.label_dropout)
        mine = slice(self.accelerator.process_index, None, self.accelerator.num_processes)
        drawn = tuple(None if part is None else part[mine] for part in drawn)
        count = len(next(part for part in drawn if part is not None))
        parts = slices(drawn, objective.at_once, self.accelerator.device)
        total = torch.zeros((), device=self.accelerator.device)
        for number, each in enumerate(parts, 1):
            # processes exchange their gradients once, with the last slice
            alone = self.accelerator.no_sync(self.objective) if number < len(parts) else nullcontext()
            with alone:
                loss = self.objective(*each).sum() / count
                self.accelerator.backward(loss)
            total += loss.detach()
        norm = self.accelerator.clip_grad_norm_(self.objective.parameters(), self.config.clip)
        return float(self.accelerator.gather(total).mean()), float(norm)

    def _apply(self, rate: float) -> None:
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
        self._forget_gradients()
        self.step += 1
        for average in self.averages:
            average.update(self.parameters, self.step)

    def _forget_gradients(self) -> None:
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)

    def _keep_or_roll_back(self, trouble: str | None) -> str | None:
        if trouble is None:
            if self.step % REMEMBER_EVERY == 0 and self.watch.healthy():
                self._good = self.checkpoint()
            return None
        assert self._good is not None
        failed, watch = self.step, self.watch
        event = watch.roll_back(trouble, failed, self._good.step)
        self._forget_gradients()
        elapsed, plan = self.elapsed, self.plan
        self.restore(self._good)
        self.elapsed, self.plan, self.watch = elapsed, plan, watch
        return event

    # ---- keeping ----------------------------------------------------------------------------------

    def checkpoint(self) -> Checkpoint:
        """A copy of everything that ``restore`` needs."""
        tensors = {f"weights.{n}": p.detach().cpu().clone() for n, p in self.parameters.items()}
        for name, parameter in self.parameters.items():
            for optimiser in self.optimisers:
                for key, value in optimiser.state.get(parameter, {}).items():
                    tensors[f"optimiser.{key}.{name}"] = torch.as_tensor(value).detach().cpu().clone()
        for average in self.averages:
            for name, weight in average.weights.items():
                tensors[f"average.{average.width:.2f}.{name}"] = weight.cpu().clone()
        notes = {
            "elapsed": self.elapsed,
            "total": self.plan.total,
            "watch": self.watch.to_dict(),
            "random": {"seed": self.config.seed, "position": self.step},
        }
        return Checkpoint(self.step, tensors, notes)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back, or on, to a checkpoint.

        Raises:
            TrainError: if it belongs to another network.
        """
        weights = part(checkpoint.tensors, "weights.")
        sizes = {name: parameter.shape for name, parameter in self.parameters.items()}
        if {name: weight.shape for name, weight in weights.items()} != sizes:
            raise TrainError(
                "The checkpoint is of another network, by other settings or an earlier version of unfog. "
                "Start in a new --out folder."
            )
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(weights[name])
            for average in self.averages:
                for name, value in part(checkpoint.tensors, f"average.{average.width:.2f}.").items():
                    average.weights[name].copy_(value)
        for optimiser in self.optimisers:
            self._restore_optimiser(optimiser, part(checkpoint.tensors, "optimiser."))
        self.step, self.elapsed = checkpoint.step, float(checkpoint.notes["elapsed"])
        self.plan.total = checkpoint.notes["total"]
        self.watch = Watch.from_dict(checkpoint.notes["watch"])
        self._good = checkpoint

    def _restore_optimiser(self, optimiser: AcceleratedOptimizer, tensors: dict[str, Tensor]) -> None:
        names = {parameter: name for name, parameter in self.parameters.items()}
        ours = [p for group in optimiser.param_groups for p in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for key in ("step", "exp_avg", "exp_avg_sq", "momentum"):
            for index, parameter in enumerate(ours):
                if (value := tensors.get(f"{key}.{names[parameter]}")) is not None:
                    # in the weight's own memory layout, which a file does not keep and fused kernels rely on
                    kept = torch.empty_like(parameter) if value.shape == parameter.shape else value.clone()
                    state.setdefault(index, {})[key] = kept.copy_(value)
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})

    def snapshots_due(self) -> list[tuple[float, Snapshot]]:
        """The averages with their widths, if it is time to store them (ever more rarely, as 1.06^k)."""
        mark = _mark(self.step)
        if self.step != self.plan.total and (self.step < 10 or mark == _mark(self.step - 1)):
            return []
        return [(a.width, a.snapshot(self.step)) for a in self.averages]

    @contextmanager
    def averaged(self, weights: dict[str, Tensor] | None = None) -> Iterator[None]:
        """The model with averaged weights while the block lasts; with the shorter average by default."""
        raw = {n: self.parameters[n].detach().clone() for n in self.averages[0].weights}
        self._set(weights or self.averages[0].weights)
        try:
            yield
        finally:
            self._set(raw)

    def _set(self, weights: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name in self.averages[0].weights:
                self.parameters[name].copy_(weights[name])

    def adopt(self, weights: dict[str, Tensor]) -> None:
        """Make averaged weights the model's own, at the end."""
        self._set(weights)


def _mark(step: int) -> int:
    return int(math.log(max(step, 1)) / math.log(DENSITY))


def objective_of(model: Model, config: CommonTrainConfig) -> Objective:
    """The loss that belongs to the recipe of a model."""
    from unfog.train import OBJECTIVES  # the table stands in front of this file

    made: Objective = OBJECTIVES[model.spec.recipe](model, config)
    return made


def precision(wanted: str) -> str:
    """The accelerate name of a precision; "auto" is bfloat16 where it is computed fast, else float32.

    On ordinary processors reduced precision is a hundred times slower, so it is never chosen there.
    """
    if wanted != "auto":
        return wanted
    return "bf16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "no"


def fit(model: Model, source: Source, config: CommonTrainConfig) -> Iterator[TrainStep]:
    """Train a model in place, one step each time the iterator is asked.

    for step in fit(model, Batches(images, labels, indices, size=64, seed=0), TrainConfig(steps=1000)):
        print(step.loss)
    """
    yield from Training(model, source, config).fit()
