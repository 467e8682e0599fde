"""The rival: an autoregressive transformer with the same size, data, tokens and minutes.

It is `TextTransformer` with `causal=True`, so a layer costs the same; trained with the project's own
optimiser and averaged weights; the weights that were best on a fiftieth of the training documents are kept.
It reads text and writes it with an exact cache, at batch 1 or more. Pairs of source and target are [END
source GAP target END]; the source is learned beside the target, and only the target is measured. An
accelerator trains it in bfloat16 where there is one, as it does the diffusion model.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from unfog.codec.tokens import TokenCodec
from unfog.evaluate.reader import Reader, ReaderConfig, read_together, windows
from unfog.nets import TextTransformer, TextTransformerConfig
from unfog.train.config import TrainConfig
from unfog.train.ema import PowerAverage
from unfog.train.optimise import optimisers
from unfog.train.rows import packed

CHECKS = 10  # times that the weights are compared on documents set aside
WARMUP, DECAY = 100, 0.5  # steps, or a tenth of a shorter training; last share of training
AVERAGE = 0.10  # relative width of the averaged weights
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Drawn = tuple[Tensor, Tensor, Tensor]
"""Tokens shown, tokens wanted, and what each of them weighs in the loss; all (B, L)."""


@dataclass(frozen=True)
class Setup:
    """Size and training of the rival; the first four fields are to be those of the diffusion model.

    Attributes:
        width, depth: of the network.
        context: tokens in a window.
        batch: windows in a step.
        minutes: of training; None trains for ``steps``.
        steps: of training.
        learning_rate: at its height.
        optimiser: "muon" or "adamw".
        dropout: share of activations dropped.
        packed: learn documents end to end, as the diffusion model does where many do not fit a row; else no
            window has more than one.
        beside: weight of the sources of pairs, learned beside their targets.
        precision: "auto" is float32 on a processor, "bf16" is bfloat16 there too, as on accelerators.
        seed: of everything random.
    """

    width: int = 256
    depth: int = 6
    context: int = 128
    batch: int = 32
    minutes: float | None = None
    steps: int = 1000
    learning_rate: float = 2e-3
    optimiser: str = "muon"
    dropout: float = 0.0
    packed: bool = False
    beside: float = 1.0
    precision: str = "auto"
    seed: int = 0


@dataclass(frozen=True)
class Pairs:
    """Sources and targets as rows of tokens; sources that leave no room are cut, and counted.

    Attributes:
        rows: tokens (N, L), END behind the end.
        target: which tokens are part of the target or its END, (N, L).
        cut: sources that were cut at their end.
    """

    rows: Tensor
    target: Tensor
    cut: int


def pair_up(sources: Sequence[str], targets: Sequence[str], codec: TokenCodec, context: int) -> Pairs:
    """[END source GAP target END] for each pair, at most ``context`` + 1 tokens.

    Raises:
        SystemExit: a target alone is too long.
    """
    built, begins, cut = [], [], 0
    for source, target in zip(codec.encode_many(sources), codec.encode_many(targets), strict=True):
        room = context - len(target) - 2
        if room < 0:
            raise SystemExit(f"A target has {len(target)} tokens: give a larger --context than {context}.")
        cut += len(source) > room
        source = source[:room]
        built.append(np.concatenate([[codec.end], source, [codec.gap], target, [codec.end]]))
        begins.append(len(source) + 2)
    width = max(map(len, built))
    rows = torch.full((len(built), width), codec.end)
    counts = torch.zeros(len(built), width, dtype=torch.bool)
    for number, (row, begin) in enumerate(zip(built, begins, strict=True)):
        rows[number, : len(row)] = torch.from_numpy(row)
        counts[number, begin : len(row)] = True
    return Pairs(rows, counts, cut)


class Rival:
    """An autoregressive model of texts, or of targets given sources."""

    def __init__(self, codec: TokenCodec, setup: Setup) -> None:
        torch.manual_seed(setup.seed)
        self.codec, self.setup = codec, setup
        self.network = TextTransformer(
            TextTransformerConfig(
                vocabulary=codec.vocabulary,
                width=setup.width,
                depth=setup.depth,
                dropout=setup.dropout,
                causal=True,
            )
        )
        self.steps, self.tokens, self.seconds = 0, 0, 0.0

    @property
    def parameters(self) -> int:
        """Weights in all."""
        return sum(weight.numel() for weight in self.network.parameters())

    def train(self, texts: Sequence[str], targets: Sequence[str] | None = None) -> None:
        """Learn; time spent on comparing weights does not count."""
        setup, named = self.setup, dict(self.network.named_parameters())
        aside = max(1, min(400, len(texts) // 50))
        order = np.random.default_rng(setup.seed).permutation(len(texts))
        fit, kept = order[aside:].tolist(), order[:aside].tolist()
        draw = self._source(_pick(texts, fit), _pick(targets, fit))
        self.network.to(DEVICE)
        config = TrainConfig(optimiser=setup.optimiser, learning_rate=setup.learning_rate)
        chosen, average = optimisers(named, config), PowerAverage(named, AVERAGE)
        best, weights, done, checked = math.inf, {}, 0.0, 0
        while done < 1:
            begin = time.perf_counter()
            height = min(1.0, max((self.steps + 1) / WARMUP, 10 * done), (1 - done) / DECAY)
            self._step(draw, chosen, height * setup.learning_rate)
            average.update(named, self.steps)
            self.seconds += time.perf_counter() - begin
            done = self.steps / setup.steps if setup.minutes is None else self.seconds / 60 / setup.minutes
            if done * CHECKS >= checked + 1 or done >= 1:
                checked += 1
                found, kept_weights = self._better(average, _pick(texts, kept), _pick(targets, kept))
                if found < best:
                    best, weights = found, kept_weights
        self.network.load_state_dict(weights)
        self.network.to("cpu").eval()

    def save(self, path: Path) -> None:
        """Weights, and in their header what they are of and what they cost; see ``load``."""
        made = {"setup": asdict(self.setup), "steps": self.steps, "tokens": self.tokens}
        made |= {"seconds": self.seconds, "codec": self.codec.to_json()}
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(dict(self.network.state_dict()), path, {"rival": json.dumps(made)})

    @classmethod
    def load(cls, path: Path) -> Rival:
        """What ``save`` wrote."""
        with safe_open(path, "pt") as file:
            made = json.loads(file.metadata()["rival"])
        rival = cls(TokenCodec.from_json(made["codec"]), Setup(**made["setup"]))
        rival.network.load_state_dict(load_file(path))
        rival.network.eval()
        rival.steps, rival.tokens, rival.seconds = made["steps"], made["tokens"], made["seconds"]
        return rival

    def nats(self, texts: Sequence[str], targets: Sequence[str] | None = None) -> np.ndarray:
        """Exact nats of each text (or of each target given its text), its end included, (N,)."""
        self.network.eval()
        if targets is None:
            config = ReaderConfig(context=self.setup.context, batch=self.setup.batch)
            return Reader(self.network, self.codec, config, 0).nats(texts)
        pairs = pair_up(texts, targets, self.codec, self.setup.context)
        return self.nats_of_rows(pairs.rows, pairs.target[:, 1:])

    @torch.inference_mode()
    def nats_of_rows(self, rows: Tensor, counts: Tensor) -> np.ndarray:
        """Exact nats, (N,), of tokens (N, L + 1) behind the first of each row, where they count, (N, L)."""
        self.network.eval()
        found = []
        for row, count in zip(rows.split(32), counts.split(32), strict=True):
            row = row.to(self.network.stem.weight.device)
            costs = F.cross_entropy(self.network(row[:, :-1]).transpose(1, 2), row[:, 1:], reduction="none")
            found.append((costs.cpu().double() * count).sum(1).numpy())
        return np.concatenate(found)

    @torch.inference_mode()
    def write(
        self,
        batch: int = 1,
        length: int | None = None,
        prompt: Sequence[int] = (),
        temperature: float = 1.0,
        seed: int = 0,
    ) -> Tensor:
        """Tokens (batch, at most ``length``) behind END and a prompt; stops when every text has its END.

        Args:
            batch: texts at once.
            length: most tokens; None fills the context.
            prompt: tokens that all begin with; not part of the result.
            temperature: 0 takes the most likely token each time.
            seed: of the draws.
        """
        self.network.eval()
        rng, codec = torch.Generator().manual_seed(seed), self.codec
        length = self.setup.context - len(prompt) if length is None else length
        cache = self.network.cache(batch, 1 + len(prompt) + length)
        shown, written = torch.tensor([[codec.end, *prompt]]).expand(batch, -1), []
        ended = torch.zeros(batch, dtype=torch.bool)
        for _ in range(length):
            hidden = self.network.hidden(shown, cache=cache, keep=shown.shape[1])[:, -1]
            logits = self.network.logits_of(hidden).double()
            logits[:, [codec.gap, codec.mask]] = -math.inf
            if temperature:
                chances = (logits / temperature).softmax(1)
                shown = torch.multinomial(chances, 1, generator=rng)
            else:
                shown = logits.argmax(1, keepdim=True)
            shown = torch.where(ended[:, None], codec.end, shown)
            written.append(shown)
            ended = ended | (shown[:, 0] == codec.end)
            if bool(ended.all()):
                break
        return torch.cat(written, 1)

    def summarise(self, source: str, length: int) -> str:
        """The most likely next words after a source, one by one, up to END."""
        room = self.setup.context - length - 2
        prompt = [*self.codec.encode_text(source)[:room], self.codec.gap]
        return self.codec.decode(self.write(1, length, prompt, temperature=0)[0])

    def _source(self, texts: Sequence[str], targets: Sequence[str] | None):
        """What draws a batch."""
        setup = self.setup
        rng = torch.Generator().manual_seed(setup.seed)
        if targets is None and setup.packed:
            line = packed(self.codec.encode_many(texts), setup.context, self.codec.end).tokens.reshape(-1)
            tokens, places = torch.from_numpy(line).long(), torch.arange(setup.context + 1)

            def cut() -> Drawn:
                start = torch.randint(0, len(tokens) - setup.context, (setup.batch, 1), generator=rng)
                shown, wanted = tokens[(start + places)[:, :-1]], tokens[(start + places)[:, 1:]]
                return shown, wanted, torch.full(wanted.shape, 1 / wanted.numel())

            return cut
        if targets is None:
            stream = read_together(texts, self.codec)

            def show() -> Drawn:
                shown, wanted = windows(stream, setup.context, setup.batch, rng)
                return shown, wanted, (wanted >= 0) / (wanted >= 0).sum()

            return show
        pairs = pair_up(texts, targets, self.codec, setup.context)

        def draw() -> Drawn:
            chosen = torch.randint(0, len(pairs.rows), (setup.batch,), generator=rng)
            width = int(pairs.target[chosen].any(0).nonzero().max()) + 1  # no columns of padding alone
            rows, target = pairs.rows[chosen, :width], pairs.target[chosen, 1:width]
            source = target.int().cumsum(1) == 0
            weight = target / target.sum() + setup.beside * source / source.sum()
            return rows[:, :-1], rows[:, 1:], weight

        return draw

    def _step(self, draw, chosen: list[torch.optim.Optimizer], rate: float) -> None:
        self.network.train()
        shown, wanted, weight = (part.to(DEVICE) for part in draw())
        counts = weight > 0
        halved = DEVICE == "cuda" or self.setup.precision == "bf16"
        with torch.autocast(DEVICE, torch.bfloat16, enabled=halved):
            logits = self.network.logits_of(self.network.hidden(shown)[counts])
        costs = F.cross_entropy(logits.float(), wanted[counts], reduction="none")
        (costs * weight[counts]).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimiser in chosen:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad()
        self.steps += 1
        self.tokens += int(counts.sum())

    def _better(self, average: PowerAverage, texts: Sequence[str], targets: Sequence[str] | None):
        """The lower loss of the last weights and the averaged ones, and those weights."""
        last = {name: weight.detach().clone() for name, weight in self.network.state_dict().items()}
        found = float(self.nats(texts, targets).mean())
        self.network.load_state_dict(average.weights, strict=False)
        smooth = float(self.nats(texts, targets).mean())
        self.network.load_state_dict(last)
        mean = {name: average.weights.get(name, weight).clone() for name, weight in last.items()}
        return (smooth, mean) if smooth < found else (found, last)


def _pick(rows: Sequence[str] | None, chosen: Sequence[int]) -> list[str] | None:
    return None if rows is None else [rows[i] for i in chosen]
