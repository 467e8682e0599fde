"""A run of the codec recipe: its batches, previews, what it measures at the end, and what is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unfog.codec import measure_latents
from unfog.data import PictureStore
from unfog.evaluate.reconstruction import Reconstruction, reconstruction
from unfog.model import CodecModel
from unfog.output.codec_report import beside
from unfog.output.provenance import Provenance, write_picture
from unfog.recipes.codec_story import FEW, tell
from unfog.recipes.listen import Listener
from unfog.recipes.prepared import Prepared
from unfog.train import Batches, Objective
from unfog.train.batches import pictures_at
from unfog.train.objective import Batch
from unfog.train.validate import asked

SHOWN = 16
MEASURED = 4096  # training pictures whose latents are measured
AT_ONCE = 64


class Encodings(Prepared):
    """A fresh codec with the pictures it will be trained on.

    Args:
        store: the pictures.
        model: untrained.
    """

    model: CodecModel
    found: Reconstruction

    def __init__(self, store: PictureStore, model: CodecModel) -> None:
        self.store, self.model = store, model
        self.source, self.digest = store.source, store.digest

    def batches(self, config: Any) -> Batches:
        """The training batches."""
        return Batches(
            self.store.images,
            None,
            self.store.train,
            size=config.train.batch,
            seed=config.train.seed,
            flip=config.data.flip,
        )

    def validation(self) -> Batch:
        """Held-out pictures."""
        return pictures_at(self.store.images, None, asked(self.store.held_out))

    def complete(self, listener: Listener) -> None:
        """Measure the latents of training pictures, and how well held-out ones come back."""
        model, train = self.model.eval(), self.store.train
        chosen = np.sort(np.random.default_rng(0).permutation(train)[:MEASURED])
        parts = []
        with torch.no_grad():
            for start in range(0, len(chosen), AT_ONCE):
                few = np.array(self.store.images[chosen[start : start + AT_ONCE]])
                raw = torch.from_numpy(few).permute(0, 3, 1, 2)
                parts.append(model.codec.compress(raw).permute(0, 2, 3, 1).cpu().numpy())
                listener.phase("Measuring latents", start + len(raw), len(chosen))
        model.codec.remeasure(model.codec.statistics, measure_latents(np.concatenate(parts)))
        model.spec = replace(model.spec, latents=model.codec.latents.to_dict())
        self.found, _ = reconstruction(
            self.store.images[self.store.held_out[:FEW]],
            model.reconstruct,
            None if model.codec.tiny is None else lambda few: model.reconstruct(few, quick=True),
        )

    def _sheet(self, count: int) -> np.ndarray:
        few = self.store.images[self.store.held_out[:count]]
        return beside(max(1, min(8, len(few))), few, self.model.reconstruct(few))

    def preview(self, run: Path, step: int, weights: str) -> Sequence[str]:
        """Held-out pictures beside what comes back of them; see ``Prepared.preview``."""
        made = Provenance(model=weights, recipe="codec", kind="grid", settings={"step": step})
        write_picture(run / "previews" / f"step-{step:08d}.png", self._sheet(SHOWN), made)
        return []

    def facts(self, config: Any) -> dict[str, Any]:
        """See ``Prepared.facts``."""
        return {
            "pictures": len(self.store.train),
            "held_out": len(self.store.held_out),
            "held_out_share": config.data.held_out,
            "columns": config.data.columns(),
            "psnr": round(self.found.psnr.value or 0.0, 2),
            "ssim": round(self.found.ssim.value or 0.0, 4),
        }

    def card(self) -> str:
        """What the codec is, in words."""
        model, made = self.model, self.model.history[-1]
        (channels, height, width), (_, high, wide) = model.codec.latent, model.shape
        return f"""# {Path(self.source).name}: a codec made with unfog

- Turns pictures of {wide} x {high} pixels into {width} x {height} latents of {channels} channels, and back.
- Learned from {made["data"]["pictures"]:,} pictures (content hash {self.digest[:16]}),
  {made["steps"]:,} steps, {made["seconds"] / 60:.1f} minutes on {made["machine"]};
  {model.count_parameters():,} parameters.
- Held-out pictures come back at {made["data"]["psnr"]:.1f} dB (PSNR), SSIM {made["data"]["ssim"]:.3f}; see
  `report.html` of the run for what is lost.
- Use: `unfog train image --codec MODEL --data DATA --out RUN`. It makes nothing new by itself.
"""

    def show(self, listener: Listener) -> np.ndarray:
        """Held-out pictures beside what comes back of them, on one sheet, uint8 (H, W, C)."""
        return self._sheet(SHOWN)

    def keep_shown(self, folder: Path, shown: np.ndarray) -> None:
        """``preview.png``."""
        made = Provenance(model=self.model.fingerprint(), recipe="codec", kind="grid")
        write_picture(folder / "preview.png", shown, made)

    def report(self, run: Path, config: Any, samples: int, objective: Objective, listener: Listener) -> Path:
        """See ``Prepared.report``."""
        return tell(run, config, self.store, self.model, samples, listener)
