"""A run's folder: its lock, its log with the proof that a resumed run repeats the lost one, its end."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from unfog.errors import OutputError, TrainError


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold a run's folder for this process; the lock vanishes with the process, however it ends.

    Raises:
        TrainError: if another process trains in the folder.
    """
    run.mkdir(parents=True, exist_ok=True)
    with open(run / ".lock", "a+", encoding="utf-8") as file:
        if not _try_lock(file):
            file.seek(0)
            owner = file.read().strip() or "unknown"
            raise TrainError(
                f"{run} is in use by another training (process {owner}). Wait for it, "
                "or choose another --out."
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield  # the file stays: removing it would let two others lock two files of that name


def _try_lock(file: IO[str]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Make Ctrl-C, and the signal that ends a job on a cluster, wait for the end of a step.

    A step that is cut in the middle would leave weights that belong to no step, and no resume could be exact.
    The second Ctrl-C does not wait.

    Yields:
        A function that says whether somebody asked.
    """
    asked = threading.Event()

    def note(number: int, frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    if threading.current_thread() is not threading.main_thread():  # only there can signals be taken
        yield asked.is_set
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Log:
    """``log.jsonl``: one line for each step and event, appended as they happen.

    When a run is resumed, the steps after its last checkpoint are taken again. Their losses are in the log
    already; they are compared, to the last bit, and the verdict is logged.

    Args:
        run: the run's folder.
        step: the step that training resumes from.
        keep: whether to write at all; of several processes, one does.
    """

    def __init__(self, run: Path, step: int, *, keep: bool = True) -> None:
        self.path = run / "log.jsonl" if keep else Path(os.devnull)
        self.last = step
        self.lost: dict[int, float] = {}
        for row in read_log(run) if keep else ():
            if row.get("event") == "went back":  # what came after it was given up, not lost
                self.lost = {s: loss for s, loss in self.lost.items() if s <= row["step"]}
            elif "loss" in row and row.get("step", 0) > step:
                self.lost[row["step"]] = row["loss"]
        self.replayed = self.differing = 0
        self._file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115, closed by close()
        self._mend()

    def _mend(self) -> None:
        # a killed process may have left half a line
        if self.path.stat().st_size and not self.path.read_bytes().endswith(b"\n"):
            self._file.write("\n")

    def write(self, **values: Any) -> None:
        """Append one line.

        Raises:
            OutputError: if the disk is full.
        """
        try:
            self._file.write(json.dumps(values) + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"Cannot write {self.path}: {error.strerror}. Make room, then go on with --resume."
            ) from error

    def step(self, step: int, loss: float, **values: Any) -> str | None:
        """Append a step, or compare it with the line that is already there.

        A step that is not beyond the last one was not taken: training went back to it, which is noted
            instead.

        Returns:
            The verdict, in words, when the last of the lost steps was taken again.
        """
        back, self.last = step <= self.last, step
        if back:
            self.write(event="went back", step=step)
        elif step not in self.lost:
            self.write(step=step, loss=loss, **values)
        else:
            return self._compare(step, loss)
        return None

    def _compare(self, step: int, loss: float) -> str | None:
        self.replayed += 1
        self.differing += self.lost.pop(step) != loss
        if self.lost:
            return None
        self.write(event="replayed", step=step, steps=self.replayed, differing=self.differing)
        if self.differing:
            return (
                f"Took {self.replayed} lost steps again; the loss of {self.differing} differs from the log: "
                "another machine, number of threads or version?"
            )
        return f"Took {self.replayed} lost steps again: all losses are those of the log, to the last bit."

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):  # what could not be written was complained about before
            self._file.close()


def read_log(run: Path) -> list[dict[str, Any]]:
    """All intact lines of a run's log, oldest first; none if there is no log."""
    path = run / "log.jsonl"
    if not path.is_file():
        return []
    rows = []
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows
