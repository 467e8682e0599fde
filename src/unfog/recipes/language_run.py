"""A run of the language recipe: its batches, previews, and what is told about it at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unfog.atomic import atomic_write
from unfog.data import Corpus
from unfog.model.text import TextModel
from unfog.output.manuscript import manuscript
from unfog.output.provenance import Provenance
from unfog.recipes.language_story import tell
from unfog.recipes.listen import Listener
from unfog.recipes.prepared import Prepared
from unfog.train import Objective
from unfog.train.batches import Order
from unfog.train.objective import Batch
from unfog.train.rows import Rows
from unfog.train.validate import asked, fix

SHOWN = 8
GLANCE = 32  # steps of a preview at most, which is to take little of the time for training


class TextBatches:
    """Batches of rows.

    Args:
        rows: tokens of all rows.
        labels: class number of each row, (N,), or None.
        size: rows in a batch.
        seed: of the order.
    """

    def __init__(self, rows: Rows, labels: np.ndarray | None, *, size: int, seed: int) -> None:
        self.rows, self.labels = rows, labels
        self.order = Order(np.arange(len(rows)), size, seed)

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """The batch of step 0, 1, ...; see ``rows_at``."""
        return rows_at(self.rows, self.labels, self.order(step))


def rows_at(
    rows: Rows, labels: np.ndarray | None, indices: np.ndarray
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Tokens (B, L), where a row's text begins, where it begins and ends to be learned (B, 3), and labels."""
    tokens = torch.from_numpy(rows.tokens[indices]).long()
    learned = torch.from_numpy(np.stack([part[indices] for part in (rows.first, rows.start, rows.stop)], 1))
    return tokens, learned, None if labels is None else torch.from_numpy(labels[indices])


class Texts(Prepared):
    """A fresh model with the texts it will be trained on.

    Args:
        corpus: the texts.
        model: untrained.
        train, held_out: their rows.
    """

    model: TextModel

    def __init__(self, corpus: Corpus, model: TextModel, train: Rows, held_out: Rows) -> None:
        self.corpus, self.model, self.train, self.held_out = corpus, model, train, held_out
        self.source, self.digest = corpus.source, corpus.digest

    def batches(self, config: Any) -> TextBatches:
        """The training batches."""
        labels = self._labels(self.train, self.corpus.train)
        return TextBatches(self.train, labels, size=config.train.batch, seed=config.train.seed)

    def validation(self) -> Batch:
        """Held-out rows."""
        labels = self._labels(self.held_out, self.corpus.held_out)
        return rows_at(self.held_out, labels, asked(np.arange(len(self.held_out))))

    def _labels(self, rows: Rows, documents: np.ndarray) -> np.ndarray | None:
        if self.model.encoder is None or self.corpus.labels is None:
            return None
        labels: np.ndarray = self.corpus.labels[documents[rows.document]]
        return labels

    def preview(self, run: Path, step: int, weights: str) -> Sequence[str]:
        """A few texts; see ``Prepared.preview``."""
        texts = self.model.generate(4, steps=min(GLANCE, self.model.spec.sampling.steps))
        (run / "previews").mkdir(exist_ok=True)
        path = run / "previews" / f"step-{step:08d}.txt"
        atomic_write(path, manuscript(texts, self._provenance(weights, step=step)))
        return []

    def _provenance(self, model: str, **more: Any) -> Provenance:
        settings = {**asdict(self.model.spec.sampling), **more}
        return Provenance(model=model, recipe="language", kind="text", settings=settings)

    def facts(self, config: Any) -> dict[str, Any]:
        """See ``Prepared.facts``."""
        return {
            "documents": len(self.corpus.train),
            "rows": len(self.train),
            "held_out": len(self.corpus.held_out),
            "held_out_share": config.data.held_out,
            "columns": config.data.columns(),
        }

    def card(self) -> str:
        """What the model is, in words."""
        model, made = self.model, self.model.history[-1]
        tasks = "Writes, completes and fills in text"
        tasks += "; summarises." if "summarize" in model.spec.tasks else "."
        return f"""# {Path(self.source).name}: a diffusion language model made with unfog

- {tasks} It sees {model.spec.context} tokens at once, of {model.codec.vocabulary:,} ({model.codec.kind}).
- Learned from {made["data"]["documents"]:,} documents (content hash {self.digest[:16]}),
  {made["steps"]:,} steps, {made["seconds"] / 60:.1f} minutes on {made["machine"]};
  {model.count_parameters():,} parameters.
- Validation loss {made["validation"]:.4f}; weights averaged over {made["average"]:.0%} of training.
- Use: `unfog write MODEL`, with `--prompt` or `--infill "a ___ b"`. It invents: what it says may be wrong.
- Check `report.html` of the run for quality, and for how much of its samples is copied, before you publish.
"""

    def show(self, listener: Listener) -> list[str]:
        """Eight texts."""
        return self.model.generate(SHOWN, progress=lambda done, total: listener.phase("Writing", done, total))

    def keep_shown(self, folder: Path, shown: list[str]) -> None:
        """``preview.txt``."""
        text = manuscript(shown, self._provenance(self.model.fingerprint()))
        (folder / "preview.txt").write_text(text, "utf-8")

    def report(self, run: Path, config: Any, samples: int, objective: Objective, listener: Listener) -> Path:
        """See ``Prepared.report``."""
        return tell(run, config, self, samples, fix(objective, self.validation()), objective, listener)
