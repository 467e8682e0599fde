"""From a source of pictures to a run's folder: open, build, train, average, save, report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState

from unfog import config as configs
from unfog.atomic import atomic_write, clear_leftovers
from unfog.data import NAMED
from unfog.errors import TrainError, UsageError
from unfog.model import Model, home, load
from unfog.recipes.codec import CODEC
from unfog.recipes.finish import finish
from unfog.recipes.image import IMAGE
from unfog.recipes.language import LANGUAGE
from unfog.recipes.listen import Listener, Silent
from unfog.recipes.loop import Loop
from unfog.recipes.pairs import PAIRS
from unfog.recipes.prepared import Prepared
from unfog.recipes.recipe import Recipe
from unfog.recipes.text2image import TEXT2IMAGE
from unfog.train import Training
from unfog.train.checkpoint import drop_snapshots, load_checkpoint
from unfog.train.fit import precision
from unfog.train.run import Log, locked

RECIPES: dict[str, Recipe] = {
    "image": IMAGE,
    "text2image": TEXT2IMAGE,
    "language": LANGUAGE,
    "codec": CODEC,
    "pairs": PAIRS,
}


def train(
    recipe: str = "image",
    data: str | Path | None = None,
    out: str | Path = "runs/new",
    *,
    minutes: float | None = None,
    steps: int | None = None,
    preset: str | None = None,
    size: int | None = None,
    seed: int | None = None,
    settings: Sequence[str] = (),
    resume: bool = False,
    samples: int = 100,
    codec: str | Path | None = None,
    pairs: str | Path | None = None,
    listener: Listener | None = None,
) -> Model:
    """Train a model on your own data.

    Args:
        recipe: a name of ``RECIPES``.
        data: folder, archive, table, name of a set, or "hub:OWNER/NAME"; not needed with ``resume``.
        out: the run's folder; must be new, unless ``resume``.
        minutes: training time; ten when neither this nor ``steps`` is given.
        steps: optimiser steps instead.
        preset: "tiny", "small" or "base".
        size: side of the pictures in pixels; chosen from the data when left out.
        seed: of weights, order and noise.
        settings: further settings, "train.batch=32".
        resume: go on with the run in ``out``, by its own settings.
        samples: pictures to draw and evaluate at the end, 0 for none.
        codec: a learned codec, or an autoencoder of diffusers, in whose latents the model shall work.
        pairs: a pair model, from whose visual words the model shall draw.
        listener: is told about progress.

    Returns:
        The trained model, as saved under ``out/model``.

    Raises:
        UnfogError: whatever is wrong with data, settings, folder or training, in words.
    """
    if recipe not in RECIPES:
        raise UsageError(f"There is no recipe {recipe!r}. {configs.nearest(recipe, RECIPES)}")
    chosen, run, machines = RECIPES[recipe], Path(out), PartialState()
    listener = listener if listener and machines.is_main_process else Silent()
    given = {"minutes": minutes, "steps": steps, "preset": preset, "size": size, "seed": seed}
    given |= _models_for(recipe, codec, pairs)
    asked = data, given, settings
    config = _resumed(run, chosen, *asked) if resume else _configure(chosen, *asked)
    with ExitStack() as stack:
        if machines.is_main_process:  # of several processes the first one has the folder, the others compute
            if not resume:
                _check_free(run)
            stack.enter_context(locked(run))
        accelerator, prepared = _accelerator(run, config), chosen.prepare(config, listener)
        config = _remembered(config, prepared.model)
        if machines.is_main_process and not resume:  # only now, so that a slip leaves no run behind
            atomic_write(run / "config.toml", configs.to_toml(config))
        return _run(run, chosen.settled(config, prepared), prepared, accelerator, samples, listener)


def _remembered(config: Any, model: Model) -> Any:
    """The settings as a run keeps them: with the network that it began with.

    So a later version, with other defaults, goes on with the same one. Picture prompts are added to a network
    that its own model describes.
    """
    onto = getattr(getattr(config, "pairs", None), "onto", None)
    if "network" not in type(config).model_fields or onto is not None:
        return config
    return config.model_copy(update={"network": dict(model.spec.network)})


def _models_for(recipe: str, codec: str | Path | None, pairs: str | Path | None) -> dict[str, str | None]:
    """Models that a recipe builds on, as a run remembers them.

    Raises:
        UsageError: for a recipe that has none.
    """
    fields = RECIPES[recipe].config.model_fields
    if codec is not None and "codec" not in fields["data"].annotation.model_fields:
        raise UsageError(f"--codec is for recipes that draw, and {recipe!r} does not. Leave it out.")
    if pairs is not None and "pairs" not in fields:
        raise UsageError(f"--pairs is for the recipe text2image, and this is {recipe!r}. Leave it out.")
    named = {"codec": codec, "pairs": pairs}
    return {name: None if path is None else str(home(path).absolute()) for name, path in named.items()}


def _check_free(run: Path) -> None:
    if (run / "config.toml").exists():
        raise TrainError(f"{run} already holds a run. Go on with it by --resume, or choose another --out.")
    if run.is_dir() and any(p.name != ".lock" for p in run.iterdir()):
        raise TrainError(f"{run} is not empty, and holds no run. Choose another --out.")


def _configure(
    recipe: Recipe, data: str | Path | None, given: dict[str, Any], settings: Sequence[str]
) -> Any:
    if data is None:
        raise UsageError("Say what to learn from: --data FOLDER, or --data digits.")
    if given["steps"] is not None and given["minutes"] is not None:
        raise UsageError("Give --minutes or --steps, not both.")
    values: dict[str, Any] = {"data": {"source": _source(data)}, "train": {}}
    if given["preset"] is not None:
        if given["preset"] not in recipe.presets:
            raise UsageError(
                f"There is no preset {given['preset']!r}. {configs.nearest(given['preset'], recipe.presets)}"
            )
        values["preset"] = given["preset"]
    values["data"] |= {name: given[name] for name in ("size", "codec") if given[name] is not None}
    if given["pairs"] is not None:
        values["pairs"] = {"model": given["pairs"]}
    values["train"] |= {k: given[k] for k in ("minutes", "steps", "seed") if given[k] is not None}
    return configs.parse(recipe.config, configs.override(values, settings), "Settings")


def _source(data: str | Path) -> str:
    """A source as a run remembers it: found again from any working folder."""
    named = isinstance(data, str) and data in NAMED  # a folder of that name is meant by './NAME'
    return str(data) if named or not Path(data).exists() else str(Path(data).absolute())


def _resumed(
    run: Path, recipe: Recipe, data: str | Path | None, given: dict[str, Any], settings: Sequence[str]
) -> Any:
    if not (run / "config.toml").is_file():
        raise TrainError(f"{run} holds no run to resume. Leave --resume out to begin one there.")
    config = configs.read(recipe.config, run / "config.toml")
    train = config.train
    mine: dict[str, Any] = {"minutes": train.minutes, "steps": train.steps, "seed": train.seed}
    mine |= {"preset": config.preset, "size": config.data.size}
    mine["codec"] = getattr(config.data, "codec", None)
    mine["pairs"] = config.pairs.model if hasattr(config, "pairs") else None
    other = [f"--{name}" for name, value in given.items() if value not in (None, mine[name])]
    other += ["--set"] if settings else []
    other += ["--data"] if data is not None and _source(data) != config.data.source else []
    if other:
        raise UsageError(
            "A resumed run keeps its settings, so that it ends as if never interrupted: "
            f"leave out {', '.join(other)}, or begin a new run with another --out."
        )
    return config


def _run(
    run: Path,
    config: Any,
    prepared: Prepared,
    accelerator: Accelerator,
    samples: int,
    listener: Listener,
) -> Model:
    training = Training(prepared.model, prepared.batches(config), config.train, accelerator)
    log = _resume_point(run, training, prepared, listener)
    try:
        Loop(run, config.train, prepared, training, log, listener).go()
        if accelerator.is_main_process:
            finish(run, config, prepared, training, log, samples, listener)
        accelerator.wait_for_everyone()
        return prepared.model if accelerator.is_main_process else load(run / "model")
    finally:
        log.close()
        accelerator.end_training()


def _accelerator(run: Path, config: Any) -> Accelerator:
    """Devices, precision and trackers, or an error that names the tracker that is not there."""
    wanted = list(config.train.trackers)
    AcceleratorState._reset_state()  # it would keep the precision of an earlier run
    try:
        accelerator = Accelerator(
            mixed_precision=precision(config.train.precision), log_with=wanted or None, project_dir=run
        )
    except ValueError as error:
        raise UsageError(f"train.trackers = {wanted}: {error}") from None
    found = [getattr(tracker, "value", tracker) for tracker in accelerator.log_with]
    if missing := [name for name in wanted if name not in found]:
        raise UsageError(f"The tracker {missing[0]!r} is not installed. Try: pip install {missing[0]}")
    return accelerator


def _resume_point(run: Path, training: Training, prepared: Prepared, listener: Listener) -> Log:
    mine = training.accelerator.is_main_process
    if mine:
        clear_leftovers(run)
        clear_leftovers(run / "checkpoints")
    checkpoint, complaints = load_checkpoint(run)
    for complaint in complaints:
        listener.say(f"Warning: {complaint}; used the one before.")
    if checkpoint is not None:
        if checkpoint.notes.get("data") != prepared.key:
            raise TrainError(
                f"The data in {prepared.source} (or the codec) is not what the run began with. "
                "Restore it, or begin a new run."
            )
        training.restore(checkpoint)
    training.accelerator.wait_for_everyone()  # all have read before the first one writes
    log = Log(run, training.step, keep=mine)
    if mine:
        drop_snapshots(run, 0, training.step)
    if checkpoint is not None:
        listener.say(f"Resumed at step {training.step}.")
        log.write(event="resumed", step=training.step, weights=checkpoint.notes["weights"])
    else:
        log.write(event="started", parameters=training.model.count_parameters(), data=prepared.digest)
    return log
