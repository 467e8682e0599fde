"""A law of short texts that is written out in full: the ground truth of all tests of text.

All V^L sequences of L tokens are listed with their probabilities. Given x_t each of them is weighed with
the likelihood that it became x_t, and what remains of each token is counted: this is Bayes' rule without a
network, for any process. A Markov chain gives a law whose tokens depend on each other.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser
from unfog.denoise.categorical import CategoricalPosterior
from unfog.errors import ConfigError
from unfog.process.discrete import DiscreteProcess
from unfog.process.masked import MaskedProcess
from unfog.rng import Noise

MOST = 1 << 16  # sequences that are still quick to list
ANY = 0.5  # a time, where it does not matter which


class ExactTokens(Denoiser[DiscreteProcess, CategoricalPosterior]):
    """Exact p(x_i | x_t) of a Markov chain of tokens.

    Args:
        process: masked, whose last token the chain does not have, or uniform.
        first: probabilities of the first token, (V,).
        then: of the next token (columns) after each token (rows), (V, V).
        length: L, tokens in a sequence.

    Attributes:
        sequences: all of them, (V^L, L), int64.
        log_law: the logarithms of their probabilities, (V^L,), float64.

    Raises:
        ConfigError: if the vocabulary does not fit the process, or there are too many sequences.
    """

    def __init__(self, process: DiscreteProcess, first: Tensor, then: Tensor, length: int) -> None:
        super().__init__()
        size = process.vocabulary - isinstance(process, MaskedProcess)
        if first.shape != (size,) or then.shape != (size, size):
            raise ConfigError(
                f"This process has {size} tokens for data: give ({size},) and ({size}, {size})."
            )
        if size**length > MOST:
            raise ConfigError(f"{size}^{length} sequences are too many to list: at most {MOST}.")
        self.process = process
        self.sequences = torch.cartesian_prod(*[torch.arange(size)] * length).view(-1, length)
        start, onward = first.double().log(), then.double().log()
        steps = onward[self.sequences[:, :-1], self.sequences[:, 1:]].sum(1)
        self.log_law = (start[self.sequences[:, 0]] + steps).log_softmax(0)
        self.tokens = torch.nn.functional.one_hot(self.sequences, size).double().flatten(1)

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> CategoricalPosterior:
        """See ``Denoiser.forward``; float64."""
        if t.ndim:
            marginals = self._marginals(x_t, t)
        else:  # of many short texts most are alike
            distinct, which = torch.unique(_number(x_t, self.process.vocabulary), return_inverse=True)
            texts = x_t.new_empty(len(distinct), x_t.shape[1])
            texts[which] = x_t
            marginals = self._marginals(texts, t)[which]
        hidden = isinstance(self.process, MaskedProcess)
        open = x_t == self.process.vocabulary - 1 if hidden else torch.ones_like(x_t, dtype=torch.bool)
        return CategoricalPosterior(marginals[open].log(), x_t, open, self.process.vocabulary)

    def _marginals(self, x_t: Tensor, t: Tensor) -> Tensor:
        """p(x_i | x_t), (B, L, V)."""
        # what is hidden says nothing of what it is: any time will do, also where hiding all is certain
        time = ANY if isinstance(self.process, MaskedProcess) else t
        share = (self.log_law + self.log_likelihood(x_t, time)).softmax(1)
        return (share @ self.tokens).view(*x_t.shape, -1)

    def log_likelihood(self, x_t: Tensor, t: Tensor | float) -> Tensor:
        """log q(x_t | x) for every sequence, (B, V^L)."""
        alpha, lost = (part[..., None] for part in self.process.scales(t, like=x_t))
        same = x_t[:, None] == self.sequences
        if isinstance(self.process, MaskedProcess):
            each = torch.where(same, alpha, torch.where(x_t[:, None] == self.process.mask, lost, 0.0))
        else:
            each = alpha * same + lost / self.process.vocabulary
        return each.log().sum(2)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, (B,), float64."""
        size = self.process.vocabulary - isinstance(self.process, MaskedProcess)
        return self.log_law[_number(x, size)]

    def entropy(self) -> float:
        """The entropy of the law, in nats."""
        return float(torch.special.entr(self.log_law.exp()).sum())

    def draw(self, count: int, rng: Noise) -> Tensor:
        """``count`` sequences of the law, (count, L)."""
        bounds = self.log_law.exp().cumsum(0)
        # the last bound is left out, so that rounding never picks a sequence beyond it
        place = rng.uniform((count,), like=bounds)
        return self.sequences[torch.searchsorted(bounds[:-1], place, right=True)]


def _number(x: Tensor, base: int) -> Tensor:
    """Each sequence as the number that its tokens are the digits of, (B,)."""
    return (x * base ** torch.arange(x.shape[1] - 1, -1, -1)).sum(1)
