"""The same tiny runs as for the recipes."""

from tests.recipes.conftest import codec_run, latent_run, run, shapes

__all__ = ["codec_run", "latent_run", "run", "shapes"]
