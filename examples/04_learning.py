"""Learning and returning in thirty lines: the trainer is a generator, the rest is a plain loop around it.

Run: python examples/04_learning.py [STEPS]
"""

import sys

import torch

from unfog.codec import measure_pixels
from unfog.data import open_pictures
from unfog.model import PictureModel
from unfog.spec import Spec
from unfog.train import Batches, TrainConfig, fit

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 300
digits = open_pictures("digits")
spec = Spec(
    recipe="image",
    network={"kind": "unet", "widths": [32, 64], "depth": 1},
    schedule={"kind": "cosine"},
    target="v",
    statistics=measure_pixels(digits.images, digits.train).to_dict(),
    classes=digits.classes,
    groups=tuple(range(10)),
    shares=(0.1,) * 10,
)
torch.manual_seed(0)
model = PictureModel(spec)
batches = Batches(digits.images, digits.labels, digits.train, size=32, seed=0)
for step in fit(model, batches, TrainConfig(steps=steps)):
    if step.step % max(1, steps // 5) == 0:
        print(f"step {step.step:5}   loss {step.loss:.3f}   {step.examples_per_second:.0f} pictures/s")

seven = model.generate(1, label="7")[0].resize((28, 14))
print("\n".join("".join(" .:*#"[seven.getpixel((x, y)) // 52] for x in range(28)) for y in range(14)))
