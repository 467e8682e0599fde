"""Optimisers: AdamW from torch, and Muon, which makes the same progress in fewer steps.

Muon (Jordan et al. 2024; https://kellerjordan.github.io/posts/muon) gives every singular direction of a
weight's momentum the same step length, by orthogonalising it with a few Newton-Schulz iterations. torch has a
Muon too, but only for two-dimensional weights and in bfloat16, which ordinary processors compute a hundred
times slower than float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from unfog.train.config import CommonTrainConfig, PairTrainConfig

ROUNDS = 5  # Newton-Schulz iterations
QUINTIC = (3.4445, -4.7750, 2.0315)  # of the polynomial that pushes singular values towards 1


def orthogonalise(matrices: Tensor) -> Tensor:
    """The nearest semi-orthogonal matrices, roughly: singular values end between about 0.7 and 1.2.

    All iterations run on the small square X X^T, and the product is applied once at the end: for the wide
    matrices of convolutions that is several times less work than iterating on X.

    Args:
        matrices: (N, rows, columns).
    """
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = QUINTIC
    gram = x @ x.transpose(1, 2)
    one = torch.eye(gram.shape[1], dtype=x.dtype, device=x.device)
    product = one
    for _ in range(ROUNDS):
        factor = a * one + b * gram + c * (gram @ gram)
        gram, product = factor @ gram @ factor, factor @ product
    x = product @ x
    result: Tensor = x.transpose(1, 2) if tall else x
    return result


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised; a convolution counts as one (out, in * k * k) matrix.

    Args:
        parameters: what to train.
        lr: step length, in the units of AdamW's (each step's root mean square is 0.2 lr).
        momentum: Nesterov momentum.
        weight_decay: decoupled, as in AdamW.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take one step; weights of the same shape are orthogonalised together."""
        for group in self.param_groups:
            alike: dict[tuple[int, ...], list[tuple[nn.Parameter, Tensor]]] = {}
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum = state["momentum"].mul_(group["momentum"]).add_(parameter.grad)
                update = parameter.grad.add(momentum, alpha=group["momentum"]).flatten(1)
                alike.setdefault(tuple(update.shape), []).append((parameter, update))
            for shape, members in alike.items():
                updates = orthogonalise(torch.stack([update for _, update in members]))
                length = group["lr"] * 0.2 * max(shape) ** 0.5
                for (parameter, _), update in zip(members, updates, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(update.view(parameter.shape), alpha=-length)


def optimisers(named: Mapping[str, nn.Parameter], config: CommonTrainConfig) -> list[torch.optim.Optimizer]:
    """What the configuration asks for: AdamW for all, or Muon for the inner weights and AdamW for the rest.

    The first and the last layer, embeddings, biases and norms stay with AdamW, where Muon's equal steps do
    harm.
    """
    # pictures and captions that find each other: there, AdamW keeps all of the encoder, as was measured
    apart = isinstance(config, PairTrainConfig)
    hidden = {
        name: parameter
        for name, parameter in named.items()
        if config.optimiser == "muon"
        and is_hidden(name, parameter)
        and not (apart and name.startswith("encoder."))
    }
    rest = [p for n, p in named.items() if n not in hidden]
    chosen: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            rest,
            lr=config.learning_rate,
            betas=(config.momentum, config.second_momentum),
            weight_decay=config.weight_decay,
            fused=True,
        )
    ]
    if hidden:
        chosen.append(Muon(hidden.values(), lr=config.learning_rate, weight_decay=config.weight_decay))
    return chosen


def is_hidden(name: str, parameter: Tensor) -> bool:
    """Whether a weight is a matrix between the first and the last layer of the network."""
    outer, parts = ("stem", "head", "clock", "condition", "codebook"), name.split(".")
    # the model's encoder is a table of embeddings, but for the layers of one that learns to read; that of an
    # autoencoder is a network like others
    table = parts[0] == "encoder" and not {"near", "blocks"} & set(parts)
    return parameter.ndim >= 2 and not table and not any(part in outer for part in parts)
