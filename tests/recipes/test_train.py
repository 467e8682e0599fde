"""Training through the recipe: folders, resume, crashes, refusals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import unfog
from unfog import config as configs
from unfog.errors import ConfigError, DataError, TrainError, UsageError
from unfog.recipes.listen import Silent
from unfog.recipes.train import RECIPES
from unfog.train.checkpoint import checkpoint_folders
from unfog.train.run import read_log

from .conftest import TINY

EVERY_STEP = "train.checkpoint_minutes=1e-9"  # so that no test depends on how fast the machine is


def finished(run: Path) -> dict[str, object]:
    return next(row for row in read_log(run) if row.get("event") == "finished")


class Told(Silent):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        """Keep it."""
        self.said.append(text)


def test_a_run_leaves_all_that_is_promised(run: Path) -> None:
    for name in ("config.toml", "log.jsonl", "report.html", "checkpoints", "model/model.json",
                 "model/model.safetensors", "model/card.md", "model/preview.png"):  # fmt: skip
        assert (run / name).exists(), name
    losses = [row["loss"] for row in read_log(run) if "loss" in row]
    assert len(losses) == 24 and losses[-1] < losses[0]


def test_classes_are_learned_and_statistics_stored(run: Path, shapes: Path) -> None:
    model = unfog.load(run)
    assert set(model.spec.classes) == {p.name for p in shapes.iterdir() if p.is_dir()}
    assert model.codec.statistics.shape == (3, 16, 16)
    assert model.history[-1]["steps"] == 24


def test_kill_and_resume_equals_an_uninterrupted_run(tmp_path: Path, run: Path, shapes: Path) -> None:
    """kill -9 at a random moment; the final weights are the same to the last bit, and the log says so."""
    out = tmp_path / "killed"
    settings = [f"--set={s}" for s in (*TINY, EVERY_STEP)]
    command = [sys.executable, "-m", "unfog", "train", "image", "--data", str(shapes), "--out", str(out)]
    process = subprocess.Popen(
        [*command, "--steps", "24", "--samples", "0", *settings], stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while len(checkpoint_folders(out)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not any(row.get("event") == "finished" for row in read_log(out))
    unfog.train("image", out=out, resume=True, samples=0)
    rows = read_log(out)
    assert any(row.get("event") == "resumed" for row in rows)
    assert all(row["differing"] == 0 for row in rows if row.get("event") == "replayed")
    assert finished(out)["weights"] == finished(run)["weights"]
    assert finished(out)["model"] == finished(run)["model"]


def test_resuming_repeats_the_lost_steps_and_says_so(tmp_path: Path, shapes: Path) -> None:
    """Steps after the last checkpoint are taken again, and compared with the log."""
    out = tmp_path / "run"
    settings = (*TINY, EVERY_STEP)
    unfog.train("image", shapes, out, steps=12, settings=settings, samples=0)
    before = finished(out)["weights"]
    newest = checkpoint_folders(out)[-1]
    shutil.rmtree(newest)
    shutil.rmtree(out / "model")
    told = Told()
    unfog.train("image", out=out, resume=True, samples=0, listener=told)
    assert any("to the last bit" in text for text in told.said)
    verdict = [row for row in read_log(out) if row.get("event") == "replayed"]
    assert verdict and verdict[-1]["steps"] >= 1 and verdict[-1]["differing"] == 0
    assert [row for row in read_log(out) if row.get("event") == "finished"][-1]["weights"] == before


@pytest.mark.parametrize("name", ["run", "latent_run", "words_run", "visual_run", "writer", "summariser"])
def test_a_run_keeps_the_network_that_it_began_with(name: str, request: pytest.FixtureRequest) -> None:
    """Whatever later versions choose by default, its settings alone bring back the very same model."""
    folder: Path = request.getfixturevalue(name)
    model = unfog.load(folder / "model")
    recipe = RECIPES[model.spec.recipe]
    config = configs.read(recipe.config, folder / "config.toml")
    again = recipe.prepare(config, Silent()).model
    assert config.network == json.loads(json.dumps(model.spec.network)) and len(config.network) > 3
    assert again.spec.network == model.spec.network
    assert {k: v.shape for k, v in again.state_dict().items()} == {
        k: v.shape for k, v in model.state_dict().items()
    }


def test_a_second_run_into_the_same_folder_is_refused(run: Path, shapes: Path) -> None:
    with pytest.raises(TrainError, match="--resume"):
        unfog.train("image", shapes, run, steps=2)


def test_a_folder_with_other_things_is_refused(tmp_path: Path, shapes: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(TrainError, match="not empty"):
        unfog.train("image", shapes, tmp_path, steps=2)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_resume_without_a_run_or_with_other_settings(tmp_path: Path, run: Path) -> None:
    with pytest.raises(TrainError, match="no run"):
        unfog.train("image", out=tmp_path / "nothing", resume=True)
    with pytest.raises(UsageError, match="--steps"):
        unfog.train("image", out=run, resume=True, steps=99)


def test_resume_notices_changed_pictures(tmp_path: Path) -> None:
    from unfog.data.toy import write_shapes

    data = write_shapes(tmp_path / "data", count=24, size=16)
    unfog.train("image", data, tmp_path / "run", steps=3, settings=TINY, samples=0)
    next(data.rglob("*.png")).unlink()
    with pytest.raises(TrainError, match="not what the run began with"):
        unfog.train("image", out=tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    ("setting", "hint"), [("train.bach=3", "batch"), ("network.depht=2", "depth"), ("trian.batch=3", "train")]
)
def test_an_unknown_setting_names_the_nearest(tmp_path: Path, shapes: Path, setting: str, hint: str) -> None:
    with pytest.raises(unfog.UnfogError, match=f"'{hint}'"):
        unfog.train("image", shapes, tmp_path / "run", steps=2, settings=[setting])


def test_unusable_values(tmp_path: Path, shapes: Path) -> None:
    with pytest.raises(ConfigError, match=r"train\.batch"):
        unfog.train("image", shapes, tmp_path / "a", steps=2, settings=["train.batch=-1"])
    with pytest.raises(UsageError, match="'image'"):
        unfog.train("imgae", shapes, tmp_path / "b", steps=2)
    with pytest.raises(UsageError, match="not both"):
        unfog.train("image", shapes, tmp_path / "c", steps=2, minutes=1)


def test_empty_and_wordy_folders(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError):
        unfog.train("image", tmp_path / "empty", tmp_path / "run", steps=2)
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.txt").write_text("no picture")
    with pytest.raises(DataError):
        unfog.train("image", tmp_path / "words", tmp_path / "run2", steps=2)


def test_a_slip_leaves_no_run_behind(tmp_path: Path, shapes: Path) -> None:
    with pytest.raises(DataError):
        unfog.train("image", tmp_path / "shaeps", tmp_path / "run", steps=2)
    with pytest.raises(unfog.UnfogError, match="depth"):
        unfog.train("image", shapes, tmp_path / "run", steps=2, settings=["network.depht=2"])
    unfog.train("image", shapes, tmp_path / "run", steps=2, settings=TINY, samples=0)
    assert finished(tmp_path / "run")["step"] == 2


def test_the_name_of_a_set_goes_before_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    model = unfog.train("image", "digits", "run", steps=1, settings=TINY, preset="tiny", samples=0)
    assert model.spec.classes == tuple("0123456789")


def test_columns_of_a_table_can_be_named(tmp_path: Path, shapes: Path) -> None:
    """By settings; and the model remembers them, so that evaluate reads the same table the same way."""
    import csv
    import shutil

    from unfog.recipes.assess import evaluate_model

    shutil.copytree(shapes, tmp_path / "pictures")
    files = sorted((tmp_path / "pictures").rglob("*.png"))
    with (tmp_path / "table.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["what", "kind"])
        rows.writerows([str(f.relative_to(tmp_path)), f.parent.name] for f in files)
    settings = (*TINY, "data.image=what", "data.label=kind")
    model = unfog.train(
        "image", tmp_path / "table.csv", tmp_path / "run", steps=2, settings=settings, samples=0
    )
    assert set(model.spec.classes) == {p.name for p in shapes.iterdir() if p.is_dir()}
    assert evaluate_model(model, tmp_path / "table.csv", 12, settings={"steps": 2}).rows
    with pytest.raises(DataError, match="'kind'"):
        unfog.train("image", tmp_path / "table.csv", tmp_path / "b", steps=2, settings=["data.label=knid"])


def test_two_pictures_one_class_and_a_batch_larger_than_the_set(tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "two" / "only"
    folder.mkdir(parents=True)
    for number in range(2):
        noise = np.random.default_rng(number).integers(0, 255, (12, 12, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
    model = unfog.train("image", tmp_path / "two", tmp_path / "run", steps=4, settings=TINY, samples=4)
    assert model.spec.classes == () and len(model.generate(3)) == 3


def test_a_full_disk_at_a_checkpoint_loses_nothing(
    tmp_path: Path, shapes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the disk; the run goes on from the last checkpoint once there is room."""
    import errno

    import safetensors.torch

    original, calls = safetensors.torch.save_file, []

    def full(tensors: object, path: Path, *rest: object) -> None:
        calls.append(path)
        if "state" in Path(path).name and len([c for c in calls if "state" in Path(c).name]) == 3:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        original(tensors, path, *rest)

    out = tmp_path / "run"
    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(unfog.UnfogError, match="disk is full"):
        unfog.train("image", shapes, out, steps=10, settings=(*TINY, EVERY_STEP), samples=0)
    assert len(checkpoint_folders(out)) == 2
    monkeypatch.undo()
    unfog.train("image", out=out, resume=True, samples=0)
    assert finished(out)["step"] == 10


def test_minutes_plan_the_number_of_steps(tmp_path: Path, shapes: Path) -> None:
    started = time.monotonic()
    model = unfog.train("image", shapes, tmp_path / "run", minutes=0.05, settings=TINY, samples=0)
    assert time.monotonic() - started < 60
    assert model.history[-1]["seconds"] == pytest.approx(3.0, abs=2.5)
    assert any("Planned" in row.get("text", "") for row in read_log(tmp_path / "run"))


def test_the_log_is_json_lines(run: Path) -> None:
    for line in (run / "log.jsonl").read_text().splitlines():
        assert isinstance(json.loads(line), dict)


def test_the_chain_as_published_is_trained_and_drawn(tmp_path: Path, shapes: Path) -> None:
    """Cosine betas, no signal at the end, hybrid bound, P2: by settings alone."""
    chosen = ("schedule.kind=ddpm-cosine", "schedule.zero_terminal=true", "network.variance=true",
              "train.weight=p2", "train.gamma=0.5", "sampling.sampler=ddpm")  # fmt: skip
    model = unfog.train("image", shapes, tmp_path / "run", steps=6, settings=(*TINY, *chosen), samples=4)
    again = unfog.load(tmp_path / "run")
    assert again.spec.schedule == {"kind": "ddpm-cosine", "zero_terminal": True}
    assert again.denoiser.variance and again.fingerprint() == model.fingerprint()
    assert len(again.generate(2, variance="learned")) == 2


def test_two_runs_of_one_process_may_differ_in_precision(tmp_path: Path, shapes: Path) -> None:
    """As in a notebook: what holds the devices remembers the precision it began with."""
    for precision in ("no", "bf16", "no"):
        settings = [*TINY, f"train.precision={precision}"]
        unfog.train("image", shapes, tmp_path / precision, steps=2, samples=0, settings=settings)
        losses = [row["loss"] for row in read_log(tmp_path / precision) if "loss" in row]
        assert all(np.isfinite(losses))
        shutil.rmtree(tmp_path / precision)
