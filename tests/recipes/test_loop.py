"""Around the trainer: what is written along the way, and stopping when asked to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import unfog
from unfog.data.toy import write_shapes
from unfog.errors import UsageError
from unfog.train.run import read_log

from .conftest import TINY

EVERY_STEP = ("train.checkpoint_minutes=1e-9", "train.preview_minutes=1e-9", "train.validate_every=2")


def finished(run: Path) -> dict[str, object]:
    return next(row for row in read_log(run) if row.get("event") == "finished")


def test_previews_validation_and_checkpoints_come_when_due_and_change_nothing(
    tmp_path: Path, shapes: Path
) -> None:
    busy, calm = tmp_path / "busy", tmp_path / "calm"
    unfog.train("image", shapes, busy, steps=6, settings=(*TINY, *EVERY_STEP), samples=0)
    unfog.train("image", shapes, calm, steps=6, settings=TINY, samples=0)
    rows = read_log(busy)
    assert len(list((busy / "previews").glob("step-*.png"))) == 6
    checked = [row["step"] for row in rows if row.get("event") == "validation"]
    assert checked[:3] == [2, 4, 6]
    assert sum(row.get("event") == "checkpoint" for row in rows) >= 6
    assert finished(busy)["weights"] == finished(calm)["weights"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_saves_and_says_how_to_go_on(
    tmp_path: Path, shapes: Path, run: Path, number: signal.Signals
) -> None:
    """Ctrl-C in the middle of a run, then --resume: the same weights as the run that nobody stopped."""
    out = tmp_path / "stopped"
    settings = [f"--set={s}" for s in (*TINY, EVERY_STEP[0])]
    command = [sys.executable, "-m", "unfog", "train", "image", "--data", str(shapes), "--out", str(out)]
    process = subprocess.Popen(
        [*command, "--steps", "24", "--samples", "0", "--json", *settings],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not any(row.get("step", 0) >= 2 for row in read_log(out)) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, number)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "--resume" in json.loads(said)["error"]
    assert not any(row.get("event") == "finished" for row in read_log(out))
    unfog.train("image", out=out, resume=True, samples=0)
    assert not any(row.get("event") == "replayed" for row in read_log(out))  # not a step was lost
    assert finished(out)["weights"] == finished(run)["weights"]


def test_a_tracker_that_is_not_there_is_named(tmp_path: Path, shapes: Path) -> None:
    with pytest.raises(UsageError, match="nosuch"):
        unfog.train("image", shapes, tmp_path / "a", steps=2, settings=('train.trackers=["nosuch"]',))
    with pytest.raises(UsageError, match="pip install mlflow"):
        unfog.train("image", shapes, tmp_path / "b", steps=2, settings=('train.trackers=["mlflow"]',))


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path: Path) -> None:
    """Data parallel through accelerate: one folder, one log, and nearly the numbers of a single process."""
    data = write_shapes(tmp_path / "data", count=60, size=16)
    launch = ["accelerate.commands.launch", "--cpu", "--num_processes", "2", "--module", "unfog"]
    words = ["train", "image", "--data", str(data), "--steps", "12", "--samples", "0", "--json"]
    settings = [f"--set={s}" for s in TINY]
    for name, start in (("one", ["unfog"]), ("two", launch)):
        command = [sys.executable, "-m", *start, *words, "--out", str(tmp_path / name), *settings]
        done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["steps"] == 12
    one, two = (
        [row["loss"] for row in read_log(tmp_path / name) if "loss" in row] for name in ("one", "two")
    )
    assert len(one) == len(two) == 12
    assert two == pytest.approx(one, rel=1e-3)
