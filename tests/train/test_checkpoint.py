"""Checkpoints: whole or absent, the newest intact one is found, and lost futures stay lost."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from unfog.errors import OutputError, TrainError
from unfog.train.checkpoint import (
    KEPT,
    Checkpoint,
    checkpoint_folders,
    drop_snapshots,
    hash_tensors,
    load_checkpoint,
    load_snapshots,
    part,
    save_checkpoint,
    save_snapshot,
)
from unfog.train.ema import Snapshot, exponent


def tensors(step: int) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(step)
    return {
        "weights.a": torch.randn(3, 4, generator=rng),
        "weights.b.c": torch.randn(2, 2, 3, 3, generator=rng).contiguous(memory_format=torch.channels_last),
        "optimiser.step.a": torch.tensor(float(step)),
        "average.0.05.a": torch.randn(3, 4, generator=rng),
    }


def save(run: Path, *steps: int) -> None:
    for step in steps:
        save_checkpoint(run, Checkpoint(step, tensors(step), {"elapsed": 0.1 + step, "total": None}))


def steps_kept(run: Path) -> list[int]:
    return [int(folder.name.removeprefix("step-")) for folder in checkpoint_folders(run)]


def loaded(run: Path) -> Checkpoint:
    checkpoint, complaints = load_checkpoint(run)
    assert checkpoint is not None and complaints == []
    return checkpoint


def test_everything_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    save(tmp_path, 12)
    found, expected = loaded(tmp_path), tensors(12)
    assert found.step == 12 and found.tensors.keys() == expected.keys()
    assert all(torch.equal(found.tensors[name], expected[name]) for name in expected)
    assert found.notes["elapsed"] == 12.1 and found.notes["total"] is None
    assert found.notes["weights"] == hash_tensors(part(expected, "weights."))


def test_there_may_be_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) == (None, [])


def test_the_newest_is_loaded_and_old_ones_are_removed(tmp_path: Path) -> None:
    save(tmp_path, 5, 10, 100_000)
    assert steps_kept(tmp_path) == [5, 10, 100_000][-KEPT:]
    assert loaded(tmp_path).step == 100_000


def test_after_a_rollback_the_lost_future_is_removed(tmp_path: Path) -> None:
    """Back from 55 to 50: a run killed now must resume at 50 as it stood after the rollback."""
    save(tmp_path, 40, 55)
    save(tmp_path, 50)
    assert loaded(tmp_path).step == 50
    assert steps_kept(tmp_path) == [40, 50]


def test_the_same_step_is_replaced(tmp_path: Path) -> None:
    save(tmp_path, 5)
    save_checkpoint(tmp_path, Checkpoint(5, tensors(6), {"elapsed": 0.0}))
    assert torch.equal(loaded(tmp_path).tensors["weights.a"], tensors(6)["weights.a"])


def shorten(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def flip(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    header = int.from_bytes(raw[:8], "little")
    place = json.loads(raw[8 : 8 + header])["weights.a"]["data_offsets"][0]
    raw[8 + header + place] ^= 1
    file.write_bytes(raw)


@pytest.mark.parametrize("damage", [shorten, empty, flip])
def test_a_damaged_newest_falls_back_to_the_older(tmp_path: Path, damage: object) -> None:
    save(tmp_path, 5, 10)
    assert callable(damage)
    damage(checkpoint_folders(tmp_path)[-1] / "state.safetensors")
    checkpoint, complaints = load_checkpoint(tmp_path)
    assert checkpoint is not None and checkpoint.step == 5
    assert len(complaints) == 1 and "step-00000010" in complaints[0]


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"step": 10}', '"words"', "{}"])
def test_a_damaged_description_falls_back_too(tmp_path: Path, text: str) -> None:
    save(tmp_path, 5, 10)
    (checkpoint_folders(tmp_path)[-1] / "state.json").write_text(text)
    checkpoint, complaints = load_checkpoint(tmp_path)
    assert checkpoint is not None and checkpoint.step == 5 and len(complaints) == 1


def test_when_all_are_damaged_each_is_named(tmp_path: Path) -> None:
    save(tmp_path, 5, 10)
    for folder in checkpoint_folders(tmp_path):
        shorten(folder / "state.safetensors")
    checkpoint, complaints = load_checkpoint(tmp_path)
    assert checkpoint is None and len(complaints) == 2


def test_a_full_disk_leaves_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import safetensors.torch

    def full(tensors: object, path: Path) -> None:
        path.write_bytes(b"half a f")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    save(tmp_path, 5)
    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(OutputError, match="disk is full"):
        save(tmp_path, 10)
    assert loaded(tmp_path).step == 5
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-00000005"]


def test_what_a_killed_writer_leaves_is_no_checkpoint(tmp_path: Path) -> None:
    save(tmp_path, 5)
    half = tmp_path / "checkpoints" / "step-00000010"
    half.mkdir()
    (half / "state.json").write_text('{"step": 10}')
    assert loaded(tmp_path).step == 5


def test_the_hash_is_of_names_and_bytes() -> None:
    one = {"a": torch.zeros(2), "b": torch.ones(2)}
    assert hash_tensors(one) == hash_tensors(dict(reversed(one.items())))
    assert hash_tensors(one) != hash_tensors({"a": torch.ones(2), "b": torch.zeros(2)})
    assert hash_tensors(one) != hash_tensors({"a": torch.zeros(2), "c": torch.ones(2)})


def test_part_takes_the_prefix_away() -> None:
    assert part({"weights.a.b": torch.zeros(1), "average.a": torch.ones(1)}, "weights.").keys() == {"a.b"}


GAMMAS = {"0.05": exponent(0.05), "0.10": exponent(0.10)}


def store(run: Path, *steps: int) -> None:
    for step in steps:
        for width in (0.05, 0.10):
            weights = {"w": torch.full((2,), step + width)}
            save_snapshot(run, Snapshot(step, exponent(width), weights), width)


def test_averages_come_back_in_half_precision(tmp_path: Path) -> None:
    store(tmp_path, 10, 20)
    found = load_snapshots(tmp_path, GAMMAS, until=20)
    assert [(s.step, s.gamma) for s in found] == [
        (step, exponent(width)) for step in (10, 20) for width in (0.05, 0.10)
    ]
    for snapshot, value in zip(found, (10.05, 10.1, 20.05, 20.1), strict=True):
        assert snapshot.weights["w"].dtype == torch.float32
        torch.testing.assert_close(snapshot.weights["w"], torch.full((2,), value), rtol=1e-3, atol=0)


def test_averages_of_a_lost_future_are_left_out(tmp_path: Path) -> None:
    store(tmp_path, 10, 20, 30)
    assert {s.step for s in load_snapshots(tmp_path, GAMMAS, until=25)} == {10, 20}
    assert {s.gamma for s in load_snapshots(tmp_path, {"0.05": GAMMAS["0.05"]}, until=25)} == {GAMMAS["0.05"]}


def test_averages_can_be_dropped_on_both_sides(tmp_path: Path) -> None:
    store(tmp_path, 10, 20, 30, 40)
    drop_snapshots(tmp_path, 20, 30)
    assert {s.step for s in load_snapshots(tmp_path, GAMMAS, until=99)} == {20, 30}
    drop_snapshots(tmp_path / "no such run", 0, 1)


def test_the_shorter_averages_can_be_kept_from_further_back(tmp_path: Path) -> None:
    store(tmp_path, 10, 20, 30, 40)
    drop_snapshots(tmp_path, 30, 40, early=20)
    kept = [(s.step, s.gamma) for s in load_snapshots(tmp_path, GAMMAS, until=99)]
    assert kept == [(20, GAMMAS["0.05"]), *((step, g) for step in (30, 40) for g in GAMMAS.values())]
    assert {s.step for s in load_snapshots(tmp_path, GAMMAS, until=35, since=25)} == {30}


def test_a_damaged_average_is_named(tmp_path: Path) -> None:
    store(tmp_path, 10)
    file = next((tmp_path / "checkpoints" / "averages").iterdir())
    shorten(file)
    with pytest.raises(TrainError, match=file.name):
        load_snapshots(tmp_path, GAMMAS, until=10)
