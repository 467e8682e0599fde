"""Which sampler and how many calls: measured on this model, not believed.

Three questions in turn. How far is each sampler, in few calls, from where the same noise leads in many? What
can be gained by learning grid and weights for this model? And how good are the pictures, beside those of a
thousand steps of DDPM? The answer to the last becomes the model's default.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unfog.data import NAMED, PictureStore
from unfog.distil import Fitted, fit_sampler
from unfog.distil.learn_sampler import Walks
from unfog.errors import DataError
from unfog.evaluate.figure import Figure
from unfog.model import Model, PictureModel
from unfog.recipes.assess import data_of, trained_on
from unfog.recipes.judge import Judge
from unfog.recipes.listen import Listener, Silent
from unfog.rng import Noise
from unfog.sample import GRIDS, SAMPLERS
from unfog.spec import Sampling

CALLS, LEARNED = (5, 8, 12, 20), (6, 8)
LAYOUTS = ("karras", "log-snr", "shifted")
FINE: dict[str, Any] = {"sampler": "dpm++3m", "grid": "log-snr", "steps": 100, "options": {}, "levels": ()}
PROBED, BATCH, LEARNED_FROM = 64, 16, 192  # pictures
SEED = 424_242  # not a seed that anybody draws with
GUIDED, MOST_GUIDED = 1.5, 12  # more guidance is tried up to so many calls
WITHIN, AGREEMENT_WITHIN = 1.05, 0.02  # of a thousand steps of DDPM, to be as good


@dataclass(frozen=True)
class Trial:
    """One sampler with one number of steps.

    Attributes:
        sampling: the settings.
        calls: network calls for each picture.
        error: root mean square distance from the fine reference of the same noise, in units of the data's
            standard deviation; None for samplers that draw noise, which go elsewhere.
        frechet: distance of its pictures from the training pictures.
        agreement: share of its pictures that a classifier takes for what was asked.
        seconds: for 100 pictures.
    """

    sampling: Sampling
    calls: int
    error: float | None = None
    frechet: Figure | None = None
    agreement: Figure | None = None
    seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        figures = {"frechet": self.frechet, "agreement": self.agreement}
        return {
            "sampler": self.sampling.sampler,
            "grid": self.sampling.grid,
            "steps": self.sampling.steps,
            "calls": self.calls,
            "guidance": self.sampling.guidance,
            "error": self.error,
            "seconds_per_100": self.seconds,
            **{name: None if figure is None else figure.to_dict() for name, figure in figures.items()},
        }


@dataclass(frozen=True)
class Advice:
    """The answer of ``unfog steps``.

    Attributes:
        errors: every deterministic sampler, grid and number of calls, with its error.
        trials: those whose pictures were measured.
        reference: the many steps of DDPM that they were measured against.
        chosen: what the model shall do from now on.
        good: whether that is as good as the reference.
        fitted: what was learned, by number of steps.
        space: the feature space of the distances, in words.
    """

    errors: list[Trial]
    trials: list[Trial]
    reference: Trial
    chosen: Trial
    good: bool
    fitted: dict[int, Fitted]
    space: str


def advise(
    model: PictureModel,
    data: str | Path,
    n: int = 1000,
    *,
    calls: Sequence[int] = CALLS,
    optimise: Sequence[int] = LEARNED,
    reference: int = 1000,
    listener: Listener | None = None,
) -> Advice:
    """Measure samplers on a model; the model itself is not changed, see ``adopt``.

    Args:
        model: trained.
        data: what it learned from.
        n: pictures for each measurement of quality.
        calls: numbers of network calls to try.
        optimise: numbers of steps to learn a grid and weights for.
        reference: steps of DDPM to compare with.
        listener: is told about progress.

    Raises:
        DataError: if there are too few training pictures to compare with.
    """
    listener = listener or Silent()
    store = data_of(model, data, listener)
    if len(store.train) < 3:
        raise DataError(f"{data} has fewer than three training pictures: nothing to compare with.")
    probe = _Probe(model, listener)
    errors = probe.errors(calls)
    fitted = probe.learn(optimise)
    trials = [_learned(model, count, found) for count, found in fitted.items()]
    trials += _worth_drawing(model, errors, calls)
    trials += _more_guided(model, trials)
    judge = Judge(store, listener)
    best = _measure(model, store, judge, _ddpm(model, reference), n, listener)
    measured = [_measure(model, store, judge, trial, n, listener) for trial in trials]
    good = [trial for trial in measured if _as_good(trial, best)]
    chosen = min(good, key=lambda t: (t.calls, _value(t))) if good else min(measured, key=_value)
    return Advice(errors, measured, best, chosen, bool(good), fitted, judge.space)


def adopt(model: PictureModel, advice: Advice) -> None:
    """Make the advice the model's default, keep what was learned, and note it in the history."""
    learned = dict(model.spec.learned)
    for count, found in advice.fitted.items():
        learned[str(count)] = {
            "levels": list(found.levels),
            "options": {"corrections": [list(row) for row in found.corrections]},
        }
    model.spec = replace(model.spec, sampling=advice.chosen.sampling, learned=learned)
    model.history.append(
        {
            "event": "steps",
            "chosen": advice.chosen.to_dict(),
            "reference": advice.reference.to_dict(),
            "space": advice.space,
            "as_good": advice.good,
        }
    )


def source_of(model: Model, folder: Path) -> str:
    """Where the model's data is: what the run beside it says, or the name of a set.

    Raises:
        DataError: if neither helps, saying how to name it.
    """
    config = folder.parent / "config.toml"
    if config.is_file():
        source = tomllib.loads(config.read_text("utf-8")).get("data", {}).get("source", "")
        if source in NAMED or source.startswith("hub:") or Path(source).exists():
            return str(source)
    source = trained_on(model).get("source", "")
    if source in NAMED:
        return str(source)
    raise DataError(
        f"{folder} does not say where its data is ({source or 'nothing known'}). "
        "Name them: unfog steps MODEL --data DATA"
    )


class _Probe:
    """A few pictures of which it is known where their noise leads."""

    def __init__(self, model: PictureModel, listener: Listener) -> None:
        self.model, self.listener = model, listener
        self.own = replace(model.spec.sampling, options={}, levels=())
        self.fine = replace(self.own, **FINE)
        self.held = self._walks(0, PROBED, PROBED, "Walking far")

    @torch.no_grad()
    def _walks(self, first: int, count: int, batch: int, phase: str) -> list[Walks]:
        """Fine walks of pictures from ``first`` on, in batches for the learner."""
        found = []
        for start in range(first, first + count, PROBED):
            ends = self._end(range(start, min(start + PROBED, first + count)), self.fine)
            for place in range(0, len(ends), batch):
                indices = range(start + place, start + min(place + batch, len(ends)))
                denoiser, cond = self.model.steered(
                    indices, self._asked(indices), seed=SEED, sampling=self.own
                )
                noise = Noise.for_pictures(SEED, indices).normal((len(indices), *self.model.codec.latent))
                mine = ends[place : place + len(indices)]
                found.append(Walks(denoiser, cond, noise.to(ends), mine))
            self.listener.phase(phase, start + len(ends) - first, count)
        return found

    def _asked(self, indices: range) -> list[Any] | None:
        turns = self.model.asker.choose(indices.stop)
        return None if turns is None else turns[indices.start :]

    def _end(self, indices: range, sampling: Sampling) -> torch.Tensor:
        for step in self.model.walk(indices, self._asked(indices), seed=SEED, sampling=sampling):
            last = step.x_s
        return last.clone()  # out of inference mode, so that gradients may pass by

    def errors(self, calls: Sequence[int]) -> list[Trial]:
        """All deterministic samplers on the usual grids, at each number of calls."""
        kinds = [name for name, kind in SAMPLERS.items() if not kind.stochastic and kind.order]
        kinds = [name for name in kinds if name not in ("learned", "dpm++1", "euler")]  # names of others
        plans = [(name, grid, count) for name in kinds for grid in LAYOUTS for count in calls]
        found = []
        for done, (name, grid, count) in enumerate(plans, 1):
            steps = steps_for(name, count)
            if steps:
                sampling = replace(self.own, sampler=name, grid=grid, steps=steps)
                found.append(Trial(sampling, calls_of(sampling), self._error(sampling)))
            self.listener.phase("Comparing samplers", done, len(plans))
        return found

    def _error(self, sampling: Sampling) -> float:
        return float((self._end(range(PROBED), sampling) - self.held[0].ends).square().mean().sqrt())

    def learn(self, counts: Sequence[int]) -> dict[int, Fitted]:
        """Grids and weights for these numbers of steps."""
        if not counts:
            return {}
        walks = self._walks(PROBED, LEARNED_FROM, BATCH, "Walking far, to learn from")
        frozen = [p for p in self.model.parameters() if p.requires_grad]
        for p in frozen:
            p.requires_grad_(False)
        found = {}
        for count in counts:
            process, own = self.model.denoiser.process, self.own
            grid = GRIDS["karras"](process, count, own.start, own.end)
            levels = (-process.log_ratio(grid[:-1])).exp().tolist()
            tell = partial(self.listener.phase, f"Learning {count} steps")
            found[count] = fit_sampler(walks, self.held, levels, progress=tell)
        for p in frozen:
            p.requires_grad_(True)
        return found


def steps_for(sampler: str, calls: int) -> int:
    """The steps that a sampler can take with so many calls; the last one, to t = 0, costs a single call."""
    each = SAMPLERS[sampler].calls
    return (calls - 1) // each + 1 if calls >= 1 + each or each == 1 else 0


def calls_of(sampling: Sampling) -> int:
    """Network calls for each picture."""
    return (sampling.steps - 1) * SAMPLERS[sampling.sampler].calls + 1


def _learned(model: PictureModel, count: int, found: Fitted) -> Trial:
    sampling = replace(
        model.spec.sampling,
        sampler="learned",
        grid="optimised",
        steps=count,
        levels=found.levels,
        options={"corrections": found.corrections},
    )
    return Trial(sampling, count, found.error)


def _worth_drawing(model: PictureModel, errors: Sequence[Trial], counts: Sequence[int]) -> list[Trial]:
    """For each number of calls the two samplers with the least error, and two that draw noise."""
    own, chosen = replace(model.spec.sampling, options={}, levels=()), list[Trial]()
    for calls in counts:
        best: dict[str, Trial] = {}
        for trial in sorted(errors, key=lambda t: t.error or 0.0):
            if trial.calls <= calls and trial.calls > calls - 4:
                best.setdefault(trial.sampling.sampler, trial)
        chosen += list(best.values())[:2]
        chosen += [
            Trial(
                replace(own, sampler=name, grid=own.grid if own.grid in GRIDS else "karras", steps=calls),
                calls,
            )
            for name in ("sde-dpm++2m", "ddpm")
        ]
    return chosen


def _more_guided(model: PictureModel, trials: Sequence[Trial]) -> list[Trial]:
    """The same without noise, with more guidance: noise on the way keeps to the label by itself."""
    if model.encoder is None or not 1.0 < model.spec.sampling.guidance < GUIDED:
        return []
    quiet = [t for t in trials if not SAMPLERS[t.sampling.sampler].stochastic and t.calls <= MOST_GUIDED]
    return [replace(t, sampling=replace(t.sampling, guidance=GUIDED)) for t in quiet]


def _ddpm(model: PictureModel, steps: int) -> Trial:
    own = model.spec.sampling
    return Trial(replace(own, sampler="ddpm", grid="uniform", steps=steps, options={}, levels=()), steps)


def _measure(
    model: PictureModel, store: PictureStore, judge: Judge, trial: Trial, n: int, listener: Listener
) -> Trial:
    asked, started = model.asker.choose(n), time.perf_counter()
    tell = partial(listener.phase, f"Drawing with {trial.sampling.sampler}, {trial.calls} calls")
    pictures = model.draw(asked, n, seed=SEED, sampling=trial.sampling, progress=tell)
    seconds = (time.perf_counter() - started) * 100 / n
    wanted = np.asarray(asked, np.int64) if model.spec.classes else None
    frechet, agreement = judge.figures(pictures, wanted)
    return replace(trial, frechet=frechet, agreement=agreement, seconds=round(seconds, 3))


def _value(trial: Trial) -> float:
    return float("inf") if trial.frechet is None or trial.frechet.value is None else trial.frechet.value


def _as_good(trial: Trial, best: Trial) -> bool:
    """Whether pictures are as near to the real ones as the reference's, and as often what was asked for."""
    asked = [t.agreement.value for t in (trial, best) if t.agreement is not None and t.agreement.value]
    agrees = len(asked) < 2 or asked[0] >= asked[1] - AGREEMENT_WITHIN
    return _value(trial) <= WITHIN * _value(best) and agrees
