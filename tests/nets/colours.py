"""The smallest task that needs words: the colour of a square is said by one token among others."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

COLOURS = torch.tensor([[1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0], [1.0, 1.0, -1.0]])
WORDS = torch.nn.functional.one_hot(torch.arange(4), 6).float()


def task(batch: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Squares on black (B, 3, 8, 8), tokens (B, 3, 6), mask (B, 3), and noise that hides the square."""
    of, place = (torch.randint(0, n, (batch,), generator=rng) for n in (4, 2))
    squares = torch.zeros(batch, 3, 8, 8)
    squares[:, :, 2:6, 2:6] = COLOURS[of][:, :, None, None]
    tokens = WORDS[torch.randint(0, 4, (batch, 3), generator=rng)]  # what is masked may lie
    tokens[torch.arange(batch), place] = WORDS[of]
    mask = torch.arange(3) == place[:, None]
    return squares, tokens, mask, torch.randn(squares.shape, generator=rng)


def follows_words(make: Callable[[], nn.Module], steps: int = 60) -> bool:
    """Whether a network of context 6 learns to draw the square from noise, in the colour that it is told."""
    torch.manual_seed(0)
    network, rng = make().train(), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(steps):
        squares, tokens, mask, noise = task(16, rng)
        found = network(noise, torch.full((16,), -3.0), tokens=tokens, mask=mask)
        optimiser.zero_grad()
        (found - squares).square().mean().backward()
        optimiser.step()
    squares, tokens, mask, noise = task(32, rng)
    with torch.inference_mode():
        found = network.eval()(noise, torch.full((32,), -3.0), tokens=tokens, mask=mask)
    named = torch.cdist(found[:, :, 2:6, 2:6].mean((2, 3)), COLOURS).argmin(1)
    return bool((named == torch.cdist(squares[:, :, 3, 3], COLOURS).argmin(1)).float().mean() > 0.9)
