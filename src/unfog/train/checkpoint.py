"""Everything that a run needs to go on as if nothing had happened.

A checkpoint is a folder that appears whole or not at all: ``state.safetensors`` (weights, optimiser,
averages) and ``state.json`` (step, time, plan, watchdog, seed, hash of the weights). Batches and noise are
functions of the seed and the step, so the step is also the position in the data and the state of all random
numbers.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from unfog.atomic import atomic_folder, atomic_path
from unfog.errors import TrainError
from unfog.train.ema import WIDTHS, Snapshot

KEPT = 2  # checkpoints; the older one is there in case the disk lied about the newer


@dataclass
class Checkpoint:
    """A moment of a run.

    Attributes:
        step: steps done.
        tensors: weights ("weights.*"), optimiser ("optimiser.*"), averages ("average.*"), by name.
        notes: plain values: plan, watchdog, seconds, seed, data digest.
    """

    step: int
    tensors: dict[str, Tensor]
    notes: dict[str, Any] = field(default_factory=dict)


def hash_tensors(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names and bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under a prefix, without it."""
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def save_checkpoint(run: Path, checkpoint: Checkpoint) -> Path:
    """Write ``RUN/checkpoints/step-000123`` and remove all but the last few up to it.

    Raises:
        OutputError: if the disk is full; the older checkpoints are then still there.
    """
    from safetensors.torch import save_file

    folder = run / "checkpoints"
    final = folder / f"step-{checkpoint.step:08d}"
    with atomic_folder(final) as temporary:
        save_file(
            {n: t.detach().cpu().contiguous() for n, t in checkpoint.tensors.items()},
            temporary / "state.safetensors",
        )
        notes = {"step": checkpoint.step, "weights": hash_tensors(part(checkpoint.tensors, "weights."))}
        (temporary / "state.json").write_text(json.dumps({**checkpoint.notes, **notes}, indent=2), "utf-8")
    kept = [p for p in checkpoint_folders(run) if p.name <= final.name][-KEPT:]
    for other in checkpoint_folders(run):
        if other not in kept:  # too old, or from a future that a rollback has undone
            shutil.rmtree(other, ignore_errors=True)
    return final


def checkpoint_folders(run: Path) -> list[Path]:
    """The finished checkpoints of a run, oldest first."""
    found = (run / "checkpoints").glob("step-????????")
    return sorted(p for p in found if (p / "state.json").is_file() and (p / "state.safetensors").is_file())


def load_checkpoint(run: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint that is intact.

    Returns:
        The checkpoint, or None if there is none; and what was wrong with the ones passed over.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    complaints = []
    for folder in reversed(checkpoint_folders(run)):
        try:
            notes = json.loads((folder / "state.json").read_text("utf-8"))
            step, weights = int(notes["step"]), notes["weights"]
            tensors = load_file(folder / "state.safetensors")
        except (OSError, ValueError, TypeError, LookupError, SafetensorError) as error:
            complaints.append(f"{folder.name} is damaged ({error})")
            continue
        if hash_tensors(part(tensors, "weights.")) != weights:
            complaints.append(f"{folder.name} does not match its own hash")
            continue
        return Checkpoint(step, tensors, notes), complaints
    return None, complaints


def save_snapshot(run: Path, snapshot: Snapshot, width: float) -> None:
    """Keep an average for later, in half precision, under ``RUN/checkpoints/averages``."""
    from safetensors.torch import save_file

    folder = run / "checkpoints" / "averages"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{snapshot.step:08d}-{width:.2f}.safetensors"
    with atomic_path(path, durable=False) as temporary:
        save_file({n: t.half().contiguous() for n, t in snapshot.weights.items()}, temporary)


def load_snapshots(run: Path, gammas: Mapping[str, float], until: int, since: int = 0) -> list[Snapshot]:
    """All stored averages from one step to another, oldest first.

    Args:
        run: the run.
        gammas: exponent of each width, by the name it has in the files.
        until: later ones belong to a future that was lost, and are left out.
        since: older ones are left out.

    Raises:
        TrainError: if one is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    snapshots = []
    for path in sorted((run / "checkpoints" / "averages").glob("????????-*.safetensors")):
        step, width = path.stem.split("-")
        if width not in gammas or not since <= int(step) <= until:
            continue
        try:
            weights = {n: t.float() for n, t in load_file(path).items()}
        except (OSError, SafetensorError) as error:
            raise TrainError(f"{path} is damaged ({error}). Remove it and go on with --resume.") from error
        snapshots.append(Snapshot(int(step), gammas[width], weights))
    return snapshots


def drop_snapshots(run: Path, before: int, after: int, early: int | None = None) -> None:
    """Remove stored averages from outside [before, after]; the shorter ones stay from ``early`` on."""
    for path in (run / "checkpoints" / "averages").glob("????????-*.safetensors"):
        step, width = path.stem.split("-")
        first = before if early is None or width != f"{WIDTHS[0]:.2f}" else early
        if not first <= int(step) <= after:
            path.unlink(missing_ok=True)
