"""What can be guessed back, without any network: data whose law is known has an exact denoiser.

Two clusters on a line. Far out in the noise the best guess is their mean; later it commits to one of them.

Run: python examples/02_guessing_back.py
"""

import torch

from unfog.denoise import ExactMixture
from unfog.process import Cosine, GaussianProcess

process = GaussianProcess(Cosine())
denoiser = ExactMixture(process, means=torch.tensor([[-1.0], [1.0]]), std=0.1)
x = torch.tensor([[0.3]])

for t in (0.99, 0.8, 0.6, 0.4, 0.2, 0.05):
    posterior = denoiser(x, torch.tensor(t))
    print(f"t = {t:4.2f}   saw {float(x):.2f}   guesses x = {float(posterior.mean):6.3f}"
          f"   score {float(posterior.score):8.3f}")  # fmt: skip
