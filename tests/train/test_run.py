"""A run's folder: one training at a time, and a log that can prove a resumed run right."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from unfog.errors import OutputError, TrainError
from unfog.train import run as run_module
from unfog.train.run import Log, asked_to_stop, locked, read_log

HOLD = """
import importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("run", sys.argv[1])
run = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run)
with run.locked(pathlib.Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process(run: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock; it loads the one file only, which takes no torch."""
    command = [sys.executable, "-c", HOLD, run_module.__file__, str(run)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_process_is_refused_by_name(tmp_path: Path) -> None:
    with other_process(tmp_path / "run") as process:
        with pytest.raises(TrainError, match=f"process {process.pid}"), locked(tmp_path / "run"):
            pass
        with locked(tmp_path / "other"):
            pass


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    with other_process(tmp_path) as process:
        process.kill()
        process.wait()
        with locked(tmp_path):
            pass


def test_the_lock_is_given_back_whatever_happened(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path), pytest.raises(TrainError, match="in use"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def written(run: Path, losses: dict[int, float], start: int = 0) -> list[dict[str, object]]:
    """Log these steps of a session that begins after ``start``."""
    log = Log(run, start)
    for step, loss in losses.items():
        log.step(step, loss, rate=0.1)
    log.close()
    return read_log(run)


def test_steps_and_events_are_lines(tmp_path: Path) -> None:
    rows = written(tmp_path, {1: 0.5, 2: 1 / 3})
    assert [(row["step"], row["loss"], row["rate"]) for row in rows] == [(1, 0.5, 0.1), (2, 1 / 3, 0.1)]
    log = Log(tmp_path, 2)
    log.write(event="note", text="a line\nbreak 与汉字")
    log.close()
    assert read_log(tmp_path)[-1]["text"] == "a line\nbreak 与汉字"
    assert len((tmp_path / "log.jsonl").read_text("utf-8").splitlines()) == 3


def test_every_line_is_on_disk_at_once(tmp_path: Path) -> None:
    log = Log(tmp_path, 0)
    log.step(1, 0.5)
    assert read_log(tmp_path) == [{"step": 1, "loss": 0.5}]
    log.close()


def test_replayed_steps_are_compared_and_not_written_twice(tmp_path: Path) -> None:
    written(tmp_path, {1: 0.5, 2: 0.4, 3: 0.3, 4: 0.2})
    rows = written(tmp_path, {3: 0.3, 4: 0.2, 5: 0.1}, start=2)
    assert [row["step"] for row in rows if "loss" in row] == [1, 2, 3, 4, 5]
    (verdict,) = [row for row in rows if row.get("event") == "replayed"]
    assert verdict == {"event": "replayed", "step": 4, "steps": 2, "differing": 0}


def test_a_difference_in_the_last_bit_is_counted(tmp_path: Path) -> None:
    written(tmp_path, {1: 0.5, 2: 0.4, 3: 0.3})
    rows = written(tmp_path, {2: math.nextafter(0.4, 1), 3: 0.3}, start=1)
    assert rows[-1] == {"event": "replayed", "step": 3, "steps": 2, "differing": 1}


def test_a_replay_cut_short_can_be_repeated(tmp_path: Path) -> None:
    written(tmp_path, {1: 0.5, 2: 0.4, 3: 0.3})
    written(tmp_path, {2: 0.4}, start=1)
    rows = written(tmp_path, {2: 0.4, 3: 0.3, 4: 0.2}, start=1)
    assert [row["steps"] for row in rows if row.get("event") == "replayed"] == [2]


def test_half_a_line_of_a_killed_process_is_passed_over(tmp_path: Path) -> None:
    written(tmp_path, {1: 0.5})
    with open(tmp_path / "log.jsonl", "a") as file:
        file.write('{"step": 2, "lo')
    rows = written(tmp_path, {2: 0.4}, start=1)
    assert [(row["step"], row["loss"]) for row in rows] == [(1, 0.5), (2, 0.4)]


def test_steps_given_up_by_a_rollback_are_not_taken_for_lost(tmp_path: Path) -> None:
    """1 2 3 4, trouble, back to 2, 3' and killed: the resumed run repeats 3', not 3, and 4 is new."""
    written(tmp_path, {1: 0.5, 2: 0.4, 3: 0.3, 4: 0.2})
    log = Log(tmp_path, 4)
    log.step(2, math.nan)
    log.step(3, 0.35)
    log.close()
    rows = written(tmp_path, {3: 0.35, 4: 0.25}, start=2)
    assert [row["differing"] for row in rows if row.get("event") == "replayed"] == [0]
    losses = [(row["step"], row["loss"]) for row in rows if "loss" in row]
    assert losses == [(1, 0.5), (2, 0.4), (3, 0.3), (4, 0.2), (3, 0.35), (4, 0.25)]
    assert {"event": "went back", "step": 2} in rows


def test_every_line_is_strict_json_even_after_trouble(tmp_path: Path) -> None:
    log = Log(tmp_path, 0)
    log.step(1, 0.5, gradient=1.0)
    log.step(1, math.nan, gradient=math.inf)
    log.step(0, math.inf)
    log.close()

    def refuse(word: str) -> None:
        raise AssertionError(word)

    for line in (tmp_path / "log.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=refuse)


def test_no_log_is_an_empty_log(tmp_path: Path) -> None:
    assert read_log(tmp_path) == []


def test_other_files_lines_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(b'[1, 2]\n\xff\xfe\n3\n\n{"step": 1, "loss": 2.0}\n')
    assert read_log(tmp_path) == [{"step": 1, "loss": 2.0}]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_waits_and_a_second_one_does_not(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with asked_to_stop() as asked:
        assert not asked()
        signal.raise_signal(number)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_silent_log_writes_nothing(tmp_path: Path) -> None:
    log = Log(tmp_path, 0, keep=False)
    log.step(1, 0.5)
    log.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_under_the_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").symlink_to("/dev/full")
    log = Log(tmp_path, 0)
    with pytest.raises(OutputError, match="--resume"):
        log.step(1, 0.5)
    log.close()
