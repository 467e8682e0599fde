"""A score model, as NCSN was: a ladder of noise, denoising score matching, Langevin dynamics. No labels.

The schedule is VE: the data stays as it is, and noise is added, from the largest distance between two digits
(measured) down to almost nothing. What is learned is the noise: the score but for a factor -sigma. Three
ways lead back: annealed Langevin dynamics, predictor and corrector, and the probability flow.

Run: python examples/05_scores.py [STEPS] [LEVELS]
"""

import sys

import numpy as np
import torch
from PIL import Image

import unfog
from unfog.output.sheet import contact_sheet
from unfog.rng import Noise

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 2500
levels = int(sys.argv[2]) if len(sys.argv) > 2 else 232  # as many as NCSNv2 takes for 32 x 32 pictures

settings = ("schedule.kind=ve", "target=noise", "data.classes=false", "data.groups=0")
model = unfog.train("image", "digits", "runs/scores", steps=steps, settings=settings, samples=0)
process = model.denoiser.process
print(f"a ladder from {process.schedule.sigma_max:g} down to {process.schedule.sigma_min:g}")

# the score points from noisy data to where data is: back along the noise that was added
x, noise = Noise(1).normal((4, 1, 28, 28)), Noise(2).normal((4, 1, 28, 28))
t = torch.tensor(0.6, dtype=torch.float64)
with torch.no_grad():
    score = model.denoiser(process.mix(x, noise, t), t).score
along = torch.nn.functional.cosine_similarity(score.flatten(1), -noise.flatten(1)).mean()
print(f"cosine between score and minus the noise: {float(along):.2f}")

ways = {
    "langevin": {"sampler": "langevin", "steps": levels, "grid": "log-snr"},
    "predictor and corrector": {"sampler": "pc", "steps": levels // 2, "grid": "log-snr"},
    "probability flow": {"sampler": "dpm++2m", "steps": max(2, levels // 12), "grid": "karras"},
}
for name, way in ways.items():
    pictures = [np.asarray(p)[..., None] for p in model.generate(20, seed=3, end=0.01, **way)]
    path = f"scores-{name.split()[0]}.png"
    Image.fromarray(contact_sheet(np.stack(pictures), columns=10)[..., 0]).save(path)
    print(f"{name}: {path}")
