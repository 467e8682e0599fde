"""How soon does a text encoder read more than a bag of words? By Muon and by AdamW.

    python benchmarks/reading.py [--steps 900] [--threads 1]

Captions of the procedural world in English and Chinese, of two things of different colours. One place of a
picture, which knows a colour only, looks at the words twice, and says which shape has that colour and where
that thing stands from the other. A bag of words leaves a choice of two for either. Only what trains the
blocks of the encoder differs, and whether a convolution over neighbours comes before them; all else is
Muon's and AdamW's as in training.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from machine import describe, facts
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.codec import TokenCodec
from unfog.condition.text import OwnTextEncoder, OwnTextEncoderConfig
from unfog.condition.words import Words
from unfog.data.world import COLOURS, RELATIONS, SHAPES, Scene, random_scene
from unfog.data.world_words import captions
from unfog.nets.attention import Prompt
from unfog.nets.spatial import SpatialTransformer
from unfog.train import TrainConfig
from unfog.train.optimise import optimisers

SCENES, BATCH, EVERY = 3000, 64, 150
WIDTH, CONTEXT, VOCABULARY = 128, 192, 512
NEAR = 5
# by its name ``is_hidden`` knows what AdamW keeps
WHO = {
    "Muon, neighbours first": ("encoder", NEAR),
    "Muon": ("encoder", 0),
    "AdamW": ("condition", 0),
}


class Place(nn.Module):
    """A place that knows a colour, looks at a text, and says a shape and a relation."""

    def __init__(self, name: str, near: int) -> None:
        super().__init__()
        config = OwnTextEncoderConfig(vocabulary=VOCABULARY + 3, width=CONTEXT, vector=8, depth=2, near=near)
        self.reader = nn.ModuleDict({name: OwnTextEncoder(config)})
        self.stem = nn.Embedding(len(COLOURS), WIDTH)
        self.looks = nn.ModuleList(SpatialTransformer(WIDTH, 64, CONTEXT) for _ in range(2))
        self.head = nn.Linear(WIDTH, len(SHAPES) + len(RELATIONS))

    def forward(self, words: Words, colour: Tensor) -> Tensor:
        """Words and colours (B,) to logits (B, shapes + relations)."""
        said = next(iter(self.reader.values()))(words)
        place = self.stem(colour)[:, :, None, None]
        for look in self.looks:
            place = look(place, Prompt(said.tokens, said.mask, None))
        logits: Tensor = self.head(place.flatten(1))
        return logits


class Questions:
    """Scenes of two colours, told in both languages, and what is asked about them."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        scenes = [random_scene(rng, "seen", "pair") for _ in range(SCENES)]
        self.scenes = [s for s in scenes if s.second and s.first.colour != s.second.colour]
        told = [[each.text for each in captions(scene, rng)] for scene in self.scenes]
        flat = [text for each in told for text in each]
        self.many = len(told[0])
        rows = TokenCodec.learn(flat, "bpe", VOCABULARY).encode_many(flat)
        self.tokens = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
        self.mask = torch.zeros(self.tokens.shape, dtype=torch.bool)
        for number, row in enumerate(rows):
            self.tokens[number, : len(row)] = torch.as_tensor(row)
            self.mask[number, : len(row)] = True

    def draw(self, rng: np.random.Generator) -> tuple[Words, Tensor, Tensor, Tensor]:
        """Words, a colour of each, its shape, and where that thing stands from the other."""
        chosen = rng.integers(0, len(self.scenes), BATCH)
        rows = torch.from_numpy(chosen * self.many + rng.integers(0, self.many, BATCH))
        about = [self._about(self.scenes[i], bool(rng.integers(2))) for i in chosen]
        colour, shape, relation = torch.tensor(about).T
        return (
            Words(self.tokens[rows], self.mask[rows], self.mask[rows].any(1), None),
            colour,
            shape,
            relation,
        )

    @staticmethod
    def _about(scene: Scene, second: bool) -> tuple[int, int, int]:
        told = scene.turned() if second else scene
        names = (list(COLOURS), list(SHAPES), list(RELATIONS))
        first = told.first
        return tuple(  # type: ignore[return-value]
            each.index(value)
            for each, value in zip(names, (first.colour, first.shape, told.relation), strict=True)
        )


def learn(who: str, steps: int, questions: Questions) -> list[tuple[float, float]]:
    """Shares of right shapes and relations among the 50 batches before every ``EVERY`` steps."""
    torch.manual_seed(0)
    model, rng, right, found = Place(*WHO[who]), np.random.default_rng(1), [], []
    chosen = optimisers(dict(model.named_parameters()), TrainConfig())
    for step in range(steps):
        words, colour, shape, relation = questions.draw(rng)
        logits = model(words, colour)
        kinds, places = logits[:, : len(SHAPES)], logits[:, len(SHAPES) :]
        (F.cross_entropy(kinds, shape) + F.cross_entropy(places, relation)).backward()
        for each in chosen:
            for group in each.param_groups:
                group["lr"] = TrainConfig().learning_rate * min(1.0, (step + 1) / 100)
            each.step()
            each.zero_grad()
        right.append(
            [
                float((part.argmax(1) == true).float().mean())
                for part, true in ((kinds, shape), (places, relation))
            ]
        )
        if (step + 1) % EVERY == 0:
            found.append(tuple(np.mean(right[-50:], 0)))
    return found


def main() -> None:
    """Read the command line, learn by both, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own choice)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(describe(facts(["unfog"])), f"{torch.get_num_threads()} threads", sep=", ", flush=True)
    questions = Questions()
    print(f"\n{len(questions.scenes):,} scenes, batches of {BATCH}; right shapes / right relations\n")
    print("| steps | " + " | ".join(str(EVERY * (i + 1)) for i in range(options.steps // EVERY)) + " |")
    print("|---|" + "---|" * (options.steps // EVERY))
    for who in WHO:
        found = learn(who, options.steps, questions)
        print(
            f"| {who} | " + " | ".join(f"{100 * a:.0f} / {100 * b:.0f} %" for a, b in found) + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()
