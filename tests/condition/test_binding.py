"""Whether an encoder that learns to read learns what belongs together: not four words in a bag."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.condition import Words
from unfog.condition.text import OwnTextEncoder, OwnTextEncoderConfig
from unfog.nets.attention import CrossAttention, Prompt
from unfog.train import TrainConfig
from unfog.train.optimise import optimisers

COLOURS, SHAPES, JOIN = 6, 6, 12


class Asked(nn.Module):
    """Which shape has a colour: a place of that colour looks at the words, and says it."""

    def __init__(self) -> None:
        super().__init__()
        config = OwnTextEncoderConfig(vocabulary=13, width=64, vector=8, depth=1, head=32)
        self.encoder = OwnTextEncoder(config)
        self.stem = nn.Embedding(COLOURS, 64)
        self.look = CrossAttention(64, 32, 64)
        self.head = nn.Linear(64, SHAPES)

    def forward(self, texts: Tensor, colour: Tensor) -> Tensor:
        """Tokens (B, 5) and colours (B,) to logits of shapes (B, SHAPES)."""
        words = Words(texts, torch.ones_like(texts, dtype=torch.bool), torch.ones(len(texts)).bool(), None)
        said = self.encoder(words)
        places = self.stem(colour)[:, :, None, None]
        logits: Tensor = self.head(self.look(places, Prompt(said.tokens, said.mask, None)).flatten(1))
        return logits


def drawn(count: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """'colour shape and colour shape', one of the colours, and the shape that it belongs to."""
    colours = torch.rand(count, COLOURS, generator=rng).argsort(1)[:, :2]
    shapes = torch.rand(count, SHAPES, generator=rng).argsort(1)[:, :2]
    join = torch.full((count, 1), JOIN)
    texts = torch.cat(
        [colours[:, :1], COLOURS + shapes[:, :1], join, colours[:, 1:], COLOURS + shapes[:, 1:]], 1
    )
    which = torch.randint(2, (count, 1), generator=rng)
    return texts, colours.gather(1, which)[:, 0], shapes.gather(1, which)[:, 0]


def learned(steps: int) -> float:
    """Share of right answers after some steps; half of them needs no more than a bag of words."""
    torch.manual_seed(0)
    model, rng = Asked(), torch.Generator().manual_seed(1)
    chosen = optimisers(dict(model.named_parameters()), TrainConfig())
    for _ in range(steps):
        texts, colour, shape = drawn(64, rng)
        F.cross_entropy(model(texts, colour), shape).backward()
        for each in chosen:
            each.step()
            each.zero_grad()
    texts, colour, shape = drawn(500, rng)
    with torch.inference_mode():
        return float((model(texts, colour).argmax(1) == shape).float().mean())


def test_colours_find_their_shapes() -> None:
    assert learned(200) > 0.9
