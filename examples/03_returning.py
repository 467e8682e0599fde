"""Returning from noise to data: which sampler is how far off after how many steps, against the exact answer.

Run: python examples/03_returning.py
"""

from unfog.denoise import ExactGaussian
from unfog.process import Cosine, GaussianProcess
from unfog.rng import Noise
from unfog.sample import SAMPLERS, log_snr, trajectory

process = GaussianProcess(Cosine())
denoiser = ExactGaussian(process, mean=0.7, std=0.3)
print("steps   ", *(f"{steps:>10}" for steps in (4, 8, 16, 32)))
for name, sampler in SAMPLERS.items():
    if sampler.stochastic:
        continue
    errors = []
    for steps in (4, 8, 16, 32):
        grid = log_snr(process, steps)[:-1]  # stop just before t = 0, where nothing is left to do
        start = process.prior((1000, 1), Noise(0), grid[0]).double()
        for step in trajectory(denoiser, sampler(), grid, start, rng=Noise(1)):
            last = step.x_s
        truth = denoiser.flow_map(start, float(grid[0]), float(grid[-1]))
        errors.append((last - truth).abs().mean().item())
    print(f"{name:>8}", *(f"{error:10.6f}" for error in errors))
