"""Picture prompts for a model that knows words: new keys and values, and nothing else (IP-Adapter).

Every attention of the network that listens to words gets a second pair of projections, for the visual words
of a picture; values begin at 0, so that the model draws what it drew (Ye et al. 2023, arXiv 2308.06721). Only
they are trained. All weights of the model stay, and so does what it makes of words alone.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from torch import nn

from unfog.errors import ModelError
from unfog.model import PairModel, PictureModel
from unfog.nets.attention import PictureKeys


def with_picture_prompts(model: PictureModel, pairs: PairModel) -> PictureModel:
    """A copy of a model that also takes a picture as a prompt; only what is new has gradients.

    Args:
        model: draws from words.
        pairs: makes visual words of pictures.

    Raises:
        ModelError: the model reads no words, or takes pictures already.
    """
    if not model.spec.text:
        raise ModelError("Picture prompts are added to models that read words, and this one reads none.")
    if model.spec.pairs:
        raise ModelError("This model takes pictures as prompts already. Give the one that it was made from.")
    part = {"model": asdict(pairs.spec), "fingerprint": pairs.fingerprint()}
    network = {**model.spec.network, "picture": pairs.gaze.config.word}
    spec = replace(model.spec, network=network, pairs=part)
    grown = PictureModel(spec, model.history, model.tokens, pairs.tokens)
    assert grown.pairs is not None
    grown.pairs.load_state_dict(pairs.state_dict())
    theirs = {_renamed(name): tensor for name, tensor in model.state_dict().items()}
    missing, unknown = grown.load_state_dict(theirs, strict=False)
    new = {name for name, _ in grown.named_parameters() if ".picture." in name}
    if unknown or {name for name in missing if not name.startswith("pairs.")} != new:
        raise ModelError(f"The network {model.spec.network.get('kind')!r} has no place for picture prompts.")
    return trainable(grown.requires_grad_(False))


def trainable(model: PictureModel) -> PictureModel:
    """The same with gradients for what listens to pictures alone."""
    parts: list[nn.Module] = [each for each in model.denoiser.modules() if isinstance(each, PictureKeys)]
    assert model.encoder is not None
    for part in [*parts, model.encoder.get_submodule("picture")]:
        part.requires_grad_(True)
    return model


def _renamed(name: str) -> str:
    """A weight's name once a picture stands beside the words."""
    return name.replace("encoder.", "encoder.words.", 1) if name.startswith("encoder.") else name
