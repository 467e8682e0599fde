"""A run of the image recipe: its batches, previews, and what is told about it at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from unfog.data import PictureStore
from unfog.model import PictureModel
from unfog.output.provenance import Provenance, write_picture
from unfog.output.sheet import preview
from unfog.recipes.latents import Latents
from unfog.recipes.listen import Listener
from unfog.recipes.prepared import Prepared
from unfog.recipes.story import losses_of, tell
from unfog.train import Batches, Bucketed, Objective
from unfog.train.batches import Told, pictures_at
from unfog.train.objective import Batch
from unfog.train.validate import asked, fix

SHOWN = 16
SATURATED = 0.25  # more values at black or white than in the data, by this share, are worth a warning


class Pictures(Prepared):
    """A fresh model with the pictures it will be trained on.

    Args:
        store: the pictures.
        model: untrained.
        told: what steers each picture: groups, (N,), -1 for unknown, or see ``Told``; None if nothing does.
        latents: of the pictures, where the model works in them; it takes the codec's weights from there.
    """

    model: PictureModel

    def __init__(
        self,
        store: PictureStore,
        model: PictureModel,
        told: np.ndarray | Told | None,
        latents: Latents | None = None,
    ) -> None:
        self.store, self.model, self.told = store, model, told
        self.learned = store.images if latents is None else latents.values
        self.buckets = store.buckets if latents is None else latents.buckets
        if latents is not None:
            model.codec.load_state_dict(latents.codec.state_dict())
        self.source, self.digest = store.source, store.digest

    @property
    def key(self) -> str:
        """See ``Prepared.key``: codec and pair model belong to what is learned from."""
        spec = self.model.spec
        return f"{self.digest}{spec.latent.get('codec', '')}{spec.pairs.get('fingerprint', '')}"

    def batches(self, config: Any) -> Batches | Bucketed:
        """The training batches."""
        how = {"size": config.train.batch, "seed": config.train.seed, "flip": config.data.flip}
        if self.buckets is not None:
            return Bucketed(self.buckets, self.told, self.store.train, **how)
        return Batches(self.learned, self.told, self.store.train, **how)

    def validation(self) -> Batch:
        """Held-out pictures, with their groups."""
        return pictures_at(self.learned, self.told, asked(self.store.held_out))

    def preview(self, run: Path, step: int, weights: str) -> Sequence[str]:
        """A sheet of pictures; see ``Prepared.preview``."""
        model = self.model
        sampling = replace(model.spec.sampling, steps=min(12, model.spec.sampling.steps))
        pictures = model.draw(model.asker.choose(SHOWN), SHOWN, sampling=sampling, quick=True)
        entry = Provenance(
            model=weights,
            recipe=model.spec.recipe,
            kind="grid",
            batch_size=SHOWN,
            settings={**asdict(sampling), "step": step},
        )
        write_picture(run / "previews" / f"step-{step:08d}.png", preview(pictures), entry)
        ends = float(((pictures == 0) | (pictures == 255)).mean())
        expected = model.codec.statistics.at_black + model.codec.statistics.at_white
        if ends <= expected + SATURATED:
            return []
        return [f"{ends:.0%} of preview values are black or white, {expected:.0%} of the data: saturated."]

    def facts(self, config: Any) -> dict[str, Any]:
        """See ``Prepared.facts``."""
        return {
            "pictures": len(self.store.train),
            "held_out": len(self.store.held_out),
            "held_out_share": config.data.held_out,
            "columns": config.data.columns(),
            "ground": config.data.ground,
            "buckets": config.data.buckets,
        }

    def card(self) -> str:
        """What the model is, in words."""
        model, made = self.model, self.model.history[-1]
        channels, height, width = model.shape
        classes = ", ".join(model.spec.classes[:30]) or "none"
        latent = " x ".join(map(str, model.codec.latent[::-1]))
        works = f" Works in latents of {latent}." if model.spec.latent else ""
        return f"""# {Path(self.source).name}: a diffusion model made with unfog

- Draws pictures of {width} x {height} pixels, {"grey" if channels == 1 else "colour"}.{works}
  Classes: {classes}.
- Learned from {made["data"]["pictures"]:,} pictures (content hash {self.digest[:16]}),
  {made["steps"]:,} steps, {made["seconds"] / 60:.1f} minutes on {made["machine"]};
  {model.count_parameters():,} parameters.
- Validation loss {made["validation"]:.4f}; weights averaged over {made["average"]:.0%} of training.
- Use: `unfog sample MODEL --out DIR -n 16`; what it draws is marked as AI-generated in every file.
- Check `report.html` of the run for quality, and for how close samples come to training pictures,
  before you publish.
"""

    def show(self, listener: Listener) -> np.ndarray:
        """Sixteen pictures, uint8 (16, H, W, C)."""
        model = self.model
        return model.draw(
            model.asker.choose(SHOWN),
            SHOWN,
            progress=lambda done, total: listener.phase("Previewing", done, total),
        )

    def keep_shown(self, folder: Path, shown: np.ndarray) -> None:
        """``preview.png``."""
        entry = Provenance(
            model=self.model.fingerprint(),
            recipe="image",
            kind="grid",
            batch_size=SHOWN,
            settings=asdict(self.model.spec.sampling),
        )
        write_picture(folder / "preview.png", preview(shown), entry)

    def report(self, run: Path, config: Any, samples: int, objective: Objective, listener: Listener) -> Path:
        """See ``Prepared.report``."""
        losses = losses_of(run, self.model, objective, fix(objective, self.validation()))
        return tell(run, config, self.store, self.model, losses, samples, listener)
