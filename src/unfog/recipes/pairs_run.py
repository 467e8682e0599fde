"""A run of the pairs recipe: its batches, previews, and what is told of it at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unfog.data import PictureStore
from unfog.model.pairs import PairModel
from unfog.output.provenance import Provenance, write_picture
from unfog.output.sheet import contact_sheet
from unfog.recipes.listen import Listener
from unfog.recipes.pairs_story import learn_about, tell
from unfog.recipes.prepared import Prepared
from unfog.train import Batches, Objective
from unfog.train.batches import Told, pictures_at
from unfog.train.objective import Batch
from unfog.train.validate import asked

ROWS, NEAREST = 6, 8


class Pairs(Prepared):
    """A fresh pair model with the pictures and captions it will be trained on.

    Args:
        store: the pictures.
        model: untrained.
        told: words and numbers of captions, see ``PairedCaptions``.
        captions: of each picture, in words.
    """

    model: PairModel

    def __init__(
        self, store: PictureStore, model: PairModel, told: Told, captions: Sequence[Sequence[str]]
    ) -> None:
        self.store, self.model, self.told, self.captions = store, model, told, captions
        self.source, self.digest = store.source, store.digest

    def batches(self, config: Any) -> Batches:
        """The training batches, of pictures that have a caption."""
        spoken = np.array([i for i in self.store.train if any(self.captions[i])], np.int64)
        return Batches(self.store.images, self.told, spoken, size=config.train.batch, seed=config.train.seed)

    def validation(self) -> Batch:
        """Held-out pictures with their captions."""
        return pictures_at(self.store.images, self.told, asked(self.store.held_out))

    def complete(self, listener: Listener) -> None:
        """Find out how well held-out pictures and captions find each other."""
        self.found = learn_about(self.model.eval(), self.store, listener)

    def _sheet(self) -> np.ndarray:
        """Held-out pictures, each followed by the held-out ones that are most like it."""
        pictures = self.store.images[self.store.held_out[:512]]
        seen = self.model.embed_pictures(pictures).numpy()
        chosen = np.linspace(0, len(seen) - 1, min(ROWS, len(seen))).round().astype(int)
        nearest = np.argsort(-(seen[chosen] @ seen.T), axis=1, kind="stable")[:, :NEAREST]
        return contact_sheet(pictures[nearest.ravel()], columns=nearest.shape[1], max_width=900, tile=96)

    def preview(self, run: Path, step: int, weights: str) -> Sequence[str]:
        """Pictures with those most like them; see ``Prepared.preview``."""
        made = Provenance(model=weights, recipe="pairs", kind="grid", settings={"step": step})
        write_picture(run / "previews" / f"step-{step:08d}.png", self._sheet(), made)
        return []

    def facts(self, config: Any) -> dict[str, Any]:
        """See ``Prepared.facts``."""
        return {
            "pictures": len(self.store.train),
            "held_out": len(self.store.held_out),
            "held_out_share": config.data.held_out,
            "columns": config.data.columns(),
            "ground": config.data.ground,
            "found": {each.title(): each.median.value for each in self.found.found},
        }

    def card(self) -> str:
        """What the model is, in words."""
        model, made = self.model, self.model.history[-1]
        _, height, width = model.shape
        told = "\n".join(f"  - {line}" for line in self.found.lines())
        return f"""# {Path(self.source).name}: a pair model made with unfog

- Turns pictures of {width} x {height} pixels, and texts, into vectors of {model.size} numbers
  ({model.gaze.config.words} visual words); its prior turns vectors of texts into vectors of pictures.
- Learned from {made["data"]["pictures"]:,} pictures (content hash {self.digest[:16]}),
  {made["steps"]:,} steps, {made["seconds"] / 60:.1f} minutes on {made["machine"]};
  {model.count_parameters():,} parameters.
- On held-out pairs:
{told}
- Use: `unfog evaluate MODEL --data DATA --judge PAIRS`. It draws nothing by itself.
"""

    def show(self, listener: Listener) -> np.ndarray:
        """Held-out pictures with those most like them, on one sheet, uint8 (H, W, C)."""
        return self._sheet()

    def keep_shown(self, folder: Path, shown: np.ndarray) -> None:
        """``preview.png``."""
        made = Provenance(model=self.model.fingerprint(), recipe="pairs", kind="grid")
        write_picture(folder / "preview.png", shown, made)

    def report(self, run: Path, config: Any, samples: int, objective: Objective, listener: Listener) -> Path:
        """See ``Prepared.report``."""
        return tell(run, config, self.store, self.model, self.found, listener)
