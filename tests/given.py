"""What the tests of the core start from: processes by name, networks whose answer is known, small models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.sentences import sentences
from unfog.codec import TokenCodec, measure_latents, measure_pixels
from unfog.model import CodecModel, PairModel, PictureModel, TextModel
from unfog.model.codec import latent_part
from unfog.model.vocabulary import tokens_hash
from unfog.process import GaussianProcess
from unfog.spec import CodecSpec, PairSpec, Sampling, Spec, TextSpec, Writing
from unfog.verify.check import schedules


def process_of(schedule: str) -> GaussianProcess:
    """The Gaussian process of a schedule with its default options, or of a chain "to zero"."""
    return GaussianProcess(schedules()[schedule])


def time_at(process: GaussianProcess, clock: float) -> Tensor:
    """The time, (), at which log(alpha / sigma) has a value."""
    return process.schedule.time(torch.tensor(clock, dtype=torch.float64))


class Saying(nn.Module):
    """A network that says what it was told to say, and remembers what it was asked."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[tuple[Tensor, Tensor, dict[str, Tensor]]] = []

    def forward(self, x: Tensor, clock: Tensor, **slots: Tensor) -> Tensor:
        self.asked.append((x, clock, slots))
        return self.answer


class Bending(nn.Module):
    """A fixed, smooth, non-linear network of its input and the clock, for shapes (B, D)."""

    def __init__(self, width: int, seed: int = 0) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        self.inner = torch.randn(width, width, generator=rng, dtype=torch.float64)
        self.outer = torch.randn(width, width, generator=rng, dtype=torch.float64) / width

    def forward(self, x: Tensor, clock: Tensor, **slots: Tensor) -> Tensor:
        hidden = torch.tanh(x @ self.inner.to(x) + torch.sin(clock)[:, None])
        return hidden @ self.outer.to(x)


def pictures(count: int, size: int = 8, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Pictures with something to learn: blocks of grey, uint8, (count, size, size, channels)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 2, 2, channels), np.uint8)
    return coarse.repeat(size // 2, 1).repeat(size // 2, 2)


def small_spec(classes: tuple[str, ...] = ("cat", "dog"), channels: int = 1, **changes: Any) -> Spec:
    """A model specification for 8 x 8 pictures that computes in milliseconds."""
    values: dict[str, Any] = {
        "recipe": "image",
        "network": {"kind": "unet", "widths": [16], "depth": 1, "vector": 16, "head": 16},
        "schedule": {"kind": "cosine"},
        "target": "v",
        "statistics": measure_pixels(pictures(64, channels=channels)).to_dict(),
        "classes": classes,
        "groups": tuple(range(len(classes))),
        "shares": (1 / max(1, len(classes)),) * len(classes),
        "sampling": Sampling(steps=4),
    }
    return Spec(**{**values, **changes})


def small_model(seed: int = 0, *, alive: bool = True, **changes: Any) -> PictureModel:
    """A small model with seeded weights; ``alive`` gives layers that start at 0 something to say."""
    torch.manual_seed(seed)
    model = PictureModel(small_spec(**changes))
    if alive:
        enliven(model)
    return model.eval()


def small_drawer(seed: int = 0, **changes: Any) -> PictureModel:
    """A small model that reads prompts of a few words by itself."""
    tokens = TokenCodec.learn(["a red circle", "two blue squares", "红色的圆"], "character")
    text = {"language": "own", "longest": 20, "tokens": tokens_hash(tokens.to_json())}
    text["encoder"] = {"depth": 1, "head": 16, "near": 3}
    network = {"kind": "unet", "widths": [16], "depth": 1, "vector": 16, "head": 16, "context": 32}
    torch.manual_seed(seed)
    spec = small_spec(
        classes=(), recipe="text2image", network=network, text=text, examples=("a red circle", "红色的圆")
    )
    model = PictureModel(replace(spec, **changes), tokens=tokens)
    enliven(model, 0.2)
    return model.eval()


def enliven(network: nn.Module, size: float = 0.05) -> None:
    """Move every weight a little, so that nothing is exactly 0."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(size * torch.randn_like(parameter))


class Sure(nn.Module):
    """A network that is sure of its tokens (L,), whatever it sees of a canvas of up to L."""

    def __init__(self, tokens: Tensor, vocabulary: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(40.0 * nn.functional.one_hot(tokens, vocabulary).float())

    def forward(self, tokens: Tensor, clock: Tensor, **slots: Tensor) -> Tensor:
        return self.logits[: tokens.shape[1]].expand(len(tokens), -1, -1)


def small_text_spec(codec: TokenCodec, **changes: Any) -> TextSpec:
    """A specification of a model of text that computes in milliseconds and sees 24 tokens."""
    values: dict[str, Any] = {
        "recipe": "language",
        "network": {"kind": "text", "width": 32, "depth": 1, "head": 16, "vector": 8},
        "process": {"kind": "masked", "keep": "linear"},
        "context": 24,
        "tokens": tokens_hash(codec.to_json()),
        "sampling": Writing(steps=6),
    }
    changes["network"] = {**values["network"], **changes.get("network", {})}
    return TextSpec(**{**values, **changes})


def small_writer(seed: int = 0, *, codec: TokenCodec | None = None, **changes: Any) -> TextModel:
    """A small model of text with seeded weights that knows the characters of the small grammar."""
    codec = codec or TokenCodec.learn(sentences())
    torch.manual_seed(seed)
    model = TextModel(small_text_spec(codec, **changes), codec)
    enliven(model)
    return model.eval()


def knowing(model: TextModel, text: str, start: int | None = None) -> TextModel:
    """The same model, sure of a text from a place on, and of END behind it; by default where texts begin."""
    start = model.layout.beginning().start if start is None else start
    tokens = torch.full((model.spec.context,), model.codec.end)
    said = torch.tensor(model.codec.encode_text(text))[: len(tokens) - start]
    tokens[start : start + len(said)] = said
    model.denoiser.network = Sure(tokens, model.denoiser.process.vocabulary)
    return model


def small_codec(seed: int = 0, *, kind: str = "kl", channels: int = 3, size: int = 8) -> CodecModel:
    """A small codec with seeded weights, for pictures of 8 x 8 as 2 x 2 latents of 3 channels."""
    torch.manual_seed(seed)
    shape = {"channels": channels, "latent": 3, "kind": kind, "patch": 2, "widths": [8, 8], "codes": 16}
    shape["levels"] = [4, 4, 4]
    images = pictures(32, size=size, channels=channels)
    model = CodecModel(
        CodecSpec(
            "codec",
            shape,
            measure_pixels(images).to_dict(),
            tiny={"channels": channels, "latent": 3, "factor": 4, "width": 8, "depth": 1},
            size=size,
        )
    )
    enliven(model)
    kept = model.codec.compress(torch.from_numpy(images).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    model.codec.remeasure(model.codec.statistics, measure_latents(kept))
    model.spec = replace(model.spec, latents=model.codec.latents.to_dict())
    return model.eval()


def small_latent_model(seed: int = 0, **changes: Any) -> PictureModel:
    """A small model of pictures that works in the latents of the small codec."""
    codec = small_codec(seed)
    part = latent_part(codec.as_codec(), codec.fingerprint())
    model = small_model(seed, channels=3, latent=part, **changes)
    model.codec.load_state_dict(codec.codec.state_dict())
    return model


def small_pairs(seed: int = 0, **changes: Any) -> PairModel:
    """A small pair model with seeded weights, for pictures of 8 x 8 and texts of a few characters."""
    tokens = TokenCodec.learn(["a red circle", "two blue squares", "红色的圆"], "character")
    text = {"language": "own", "longest": 20, "tokens": tokens_hash(tokens.to_json()), "width": 16}
    text["encoder"] = {"depth": 1, "head": 16, "near": 3}
    values: dict[str, Any] = {
        "recipe": "pairs",
        "gaze": {"widths": [8, 16], "words": 3, "word": 4, "head": 8, "dropout": 0.0},
        "prior": {"width": 16, "depth": 1, "dropout": 0.0},
        "text": text,
        "statistics": measure_pixels(pictures(32, channels=3)).to_dict(),
        "steps": 4,
    }
    torch.manual_seed(seed)
    model = PairModel(PairSpec(**{**values, **changes}), tokens=tokens)
    enliven(model, 0.2)
    return model.eval()
