"""The same tiny runs as for the recipes."""

from tests.recipes.conftest import codec_run, coloured, latent_run, pairs_run, run, shapes, visual_run

__all__ = ["codec_run", "coloured", "latent_run", "pairs_run", "run", "shapes", "visual_run"]
