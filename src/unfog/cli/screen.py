"""What a person sees while something runs: progress on stderr, results on stdout."""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from unfog.train import TrainStep

EVERY = 10.0  # seconds between lines where there is no terminal to redraw


class Screen:
    """A listener that shows bars with time left on a terminal, and now and then a line elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(stderr=True, highlight=False)
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._name = ""
        self._spoke = time.monotonic()
        self._smooth: float | None = None

    def __enter__(self) -> Screen:
        if self.console.is_terminal:
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                TextColumn("{task.percentage:>3.0f}%"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[detail]}"),
                console=self.console,
                transient=True,
            )
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def phase(self, name: str, done: int, total: int) -> None:
        """See ``Listener.phase``."""
        self._show(name, done, total, "")

    def step(self, step: TrainStep) -> None:
        """See ``Listener.step``."""
        self._smooth = step.loss if self._smooth is None else 0.98 * self._smooth + 0.02 * step.loss
        detail = f"loss {self._smooth:.4f}  {step.examples_per_second:.0f}/s  step {step.step}/{step.total}"
        self._show("Training", step.step, step.total, detail)

    def say(self, text: str) -> None:
        """See ``Listener.say``."""
        self.console.print(text, markup=False, soft_wrap=True)

    def _show(self, name: str, done: int, total: int, detail: str) -> None:
        if self._progress is None:
            if time.monotonic() - self._spoke > EVERY:
                self._spoke = time.monotonic()
                self.console.print(f"{name}: {done}/{total} {detail}".rstrip(), markup=False, soft_wrap=True)
            return
        if name != self._name or self._task is None:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._name, self._task = name, self._progress.add_task(name, total=total, detail=detail)
        self._progress.update(self._task, completed=done, total=total, detail=detail)


def answer(values: dict[str, Any], as_json: bool, text: str) -> None:
    """Print the result: one JSON object, or text for people."""
    print(json.dumps(values, ensure_ascii=False) if as_json else text)
    sys.stdout.flush()


def table(head: list[str], rows: list[list[str]]) -> str:
    """A plain table that reads well in any terminal and in a log."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells: list[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    return "\n".join([line(head), "  ".join("-" * width for width in widths), *map(line, rows)])
