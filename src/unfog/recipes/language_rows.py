"""From texts to rows of tokens, for training and for measuring alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unfog.codec.tokens import TokenCodec
from unfog.data import Corpus
from unfog.train.rows import Rows, lay, pairs

SELDOM = 0.2  # share of the targets
NEARLY_ALL = 0.995  # share of the targets that are to fit into their room with their END
ENOUGH = 5_000  # targets to know what is seldom

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Tokenised:
    """A corpus as tokens.

    Attributes:
        codec: of the tokens.
        sources: of each text, without END.
        targets: of each target; None without pairs.
        classes: of each text, (N,); None without.
    """

    codec: TokenCodec
    sources: Sequence[Ids]
    targets: Sequence[Ids] | None
    classes: Ids | None = None

    @classmethod
    def of(cls, corpus: Corpus, codec: TokenCodec) -> Tokenised:
        """All texts and targets of a corpus."""
        targets = None if corpus.targets is None else codec.encode_many(corpus.targets)
        return cls(codec, codec.encode_many(corpus.texts), targets, corpus.labels)

    def lengths(self) -> Ids:
        """Tokens of each document with all its END and GAP, (N,)."""
        found = np.array([len(source) + 2 for source in self.sources])
        if self.targets is not None:
            found += np.array([len(target) for target in self.targets])
        return found

    def room(self) -> int:
        """Tokens to keep for a target and its END; 0 without pairs."""
        if self.targets is None:
            return 0
        return max(8, int(np.ceil(np.quantile([len(target) + 1 for target in self.targets], NEARLY_ALL))))

    def once(self) -> int:
        """The shortest run of tokens that seldom stands twice in one of the targets; 0 without pairs."""
        if not self.targets:
            return 0
        n, some = 1, self.targets[:ENOUGH]
        while np.mean([repeats(target, n) for target in some]) > SELDOM:
            n += 1
        return n

    def rows(self, indices: Ids, context: int, how: str = "auto", room: int = 0) -> Rows:
        """Some of the documents as rows; pairs, with ``room`` for targets, where there are targets."""
        chosen = [self.sources[i] for i in indices]
        if self.targets is None:
            classes = None if self.classes is None else self.classes[indices]
            return lay(chosen, context, self.codec.end, how, classes)
        targets = [self.targets[i] for i in indices]
        return pairs(chosen, targets, context, gap=self.codec.gap, end=self.codec.end, room=room)


def repeats(tokens: Ids, n: int) -> bool:
    """Whether a run of n tokens stands twice in these."""
    runs = list(zip(*(tokens[start:].tolist() for start in range(n)), strict=False))
    return len(set(runs)) < len(runs)
