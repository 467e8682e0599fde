"""The rival of language by diffusion: how well and how fast does an autoregressive model do the same?

    python benchmarks/language.py DATA --like MODEL [--keep FILE]
    python benchmarks/language.py DATA --rival FILE
    python benchmarks/language.py DATA --minutes 10 [--kind bpe --size 4096 --width 256 --depth 6 ...]

DATA is what `unfog train language --data` takes. With --like, the held-out documents, the tokens, the size,
the context and the minutes are those of a trained diffusion model (give --minutes where it was trained beside
other work: what it takes alone). Printed are the bits per byte and per
character of held-out documents, exact and ends included; the figures of texts that it writes at temperature
1 beside held-out ones; for pairs, ROUGE beside that of the lead sentence; tokens per second at batch 1 and
16, with the exact cache.

With --judge STEPS half of the held-out documents train a reader that neither model has met, and the other
half are what its bits are compared with.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import describe, facts, peak_memory_mb, write_json
from rival import Rival, Setup, pair_up

from unfog.codec.tokens import TokenCodec
from unfog.data.corpus import Corpus, open_corpus
from unfog.evaluate.copied import TrainingText
from unfog.evaluate.figure import Figure
from unfog.evaluate.reader import Reader, ReaderConfig
from unfog.evaluate.reader_cache import open_reader
from unfog.evaluate.rouge import lead_sentence, rouge_figures
from unfog.evaluate.text import TextQuality, evaluate_texts
from unfog.evaluate.verse import Rhymes, rhyme_ends
from unfog.model import load_text
from unfog.model.text import TextModel
from unfog.recipes.assess_text import MOST_ROWS
from unfog.recipes.language_rows import Tokenised

SPEED_SECONDS = 5.0
ENOUGH_RHYMES = 1000  # quatrains among the training documents from which rhyme is looked at


def bits(rival: Rival, texts: Sequence[str], targets: Sequence[str] | None) -> dict[str, float]:
    """Bits of held-out documents (or targets), ends included, per byte, character and token."""
    written = targets or texts
    nats = float(rival.nats(texts, targets).sum())
    lengths = {
        "byte": sum(len(text.encode()) for text in written),
        "character": sum(map(len, written)),
        "token": sum(len(row) + 1 for row in rival.codec.encode_many(written)),
    }
    return {f"bits per {unit}": nats / math.log(2) / length for unit, length in lengths.items()}


def bits_of_rows(rival: Rival, corpus: Corpus) -> dict[str, float]:
    """Bits of the very rows that `unfog evaluate` measures the bound of the diffusion model on."""
    codec, context = rival.codec, rival.setup.context
    rows = Tokenised.of(corpus, codec).rows(
        corpus.held_out, context, "packed" if rival.setup.packed else "whole"
    )
    tokens = torch.from_numpy(rows.tokens).long()
    if rows.packed:  # what stands before a row is the last token of the one before it
        before = torch.cat([torch.tensor([codec.end]), tokens[:-1, -1]])
        tokens = torch.cat([before[:, None], tokens], 1)
        counts = torch.ones(len(tokens), context, dtype=torch.bool)
    else:
        ends = (tokens[:, 1:] == codec.end).int()
        counts = ends.cumsum(1) - ends == 0
    chosen = torch.from_numpy(np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS])
    tokens, counts = tokens[chosen], counts[chosen]
    written = [row[1:][count].tolist() for row, count in zip(tokens, counts, strict=True)]
    bits = float(rival.nats_of_rows(tokens, counts).sum()) / math.log(2)
    return {
        "bits per byte, same rows": bits / sum(int(codec.lengths[row].sum()) for row in written),
        "bits per character, same rows": bits / sum(len(codec.decode(row, stop=False)) for row in written),
    }


def write_texts(rival: Rival, count: int, seed: int = 0) -> list[str]:
    """Texts at temperature 1."""
    found: list[str] = []
    while len(found) < count:
        rows = rival.write(min(64, count - len(found)), seed=seed + len(found))
        found += rival.codec.decode_many(rows)
    return found


def speed(rival: Rival, batch: int, prompt: Sequence[int]) -> float:
    """Tokens per second of writing, ENDs included; what is computed behind an END does not count."""
    written, seed, begin = 0, 0, time.perf_counter()
    while (seconds := time.perf_counter() - begin) < SPEED_SECONDS or not seed:
        rows = rival.write(batch, prompt=prompt, seed=seed)
        ends = (rows == rival.codec.end).int()
        written += int((ends.cumsum(1) - ends == 0).sum())
        seed += 1
    return written / seconds


def rouge_rows(
    rival: Rival, texts: Sequence[str], targets: Sequence[str], show: int
) -> dict[str, dict[str, Figure]]:
    """ROUGE of the rival's summaries and of lead sentences; the first few are printed side by side."""
    longest = max(len(row) for row in rival.codec.encode_many(targets)) + 1
    ours, lead = [rival.summarise(text, longest) for text in texts], [lead_sentence(text) for text in texts]
    for text, summary, target in list(zip(lead, ours, targets, strict=True))[:show]:
        print(f"\nlead:      {text[:150]}\nrival:     {summary}\nreference: {target}")
    return {"rival": rouge_figures(ours, targets), "lead sentence": rouge_figures(lead, targets)}


def quality(
    rival: Rival, train: Sequence[str], held: Sequence[str], samples: Sequence[str], judge: int
) -> TextQuality:
    """The figures of samples; see ``unfog.evaluate.text``."""
    reader: Reader | None = None
    if judge:
        config = ReaderConfig(context=min(128, rival.setup.context), steps=judge)
        reader, held = open_reader(held[::2], rival.codec, config, progress=_show("reader")), held[1::2]
    pairs = rhyme_ends(train)
    rhymes = Rhymes.learn(pairs) if len(pairs) >= ENOUGH_RHYMES else None
    return evaluate_texts(samples, held[: len(samples)], TrainingText(train), reader, rhymes)


def measure(corpus: Corpus, rival: Rival, options: argparse.Namespace) -> dict[str, Any]:
    """Train and measure; every figure, ready for JSON."""
    train, held = ([corpus.texts[i] for i in part] for part in (corpus.train, corpus.held_out))
    goals = [None, None] if corpus.targets is None else [
        [corpus.targets[i] for i in part] for part in (corpus.train, corpus.held_out)
    ]  # fmt: skip
    order = np.random.default_rng(0).permutation(len(held))[: options.most]
    held = [held[i] for i in order]
    wanted = None if goals[1] is None else [goals[1][i] for i in order]
    if rival.steps == 0:
        rival.train(train, goals[0])
    found: dict[str, Any] = {"bits": bits(rival, held, wanted), "peak memory, MB": peak_memory_mb()}
    if wanted is None:
        found["bits"] |= bits_of_rows(rival, corpus)
    if wanted is not None:
        pairs = pair_up(held, wanted, rival.codec, rival.setup.context)
        found["sources cut"] = pairs.cut / len(held)
        scores = rouge_rows(rival, held[: options.n], wanted[: options.n], options.show)
        found["rouge"] = {who: {k: f.to_dict() for k, f in row.items()} for who, row in scores.items()}
        prompt = [*rival.codec.encode_text(held[0])[: rival.setup.context // 2], rival.codec.gap]
    else:
        samples, prompt = write_texts(rival, options.n), []
        for text in samples[: options.show]:
            print(f"\n{text}")
        judged = quality(rival, train, held, samples, options.judge)
        found["quality"] = judged.to_dict()
        print("\n| figure | rival | held out |\n|---|---|---|")
        for row in judged.rows():
            print(f"| {row.figure} | {row.samples} | {row.floor} |")
    found["tokens/s"] = {str(batch): speed(rival, batch, prompt) for batch in (1, 16)}
    return found


def report(rival: Rival, found: dict[str, Any]) -> list[str]:
    """The table."""
    training = (
        f"{rival.steps:,} steps in {rival.seconds / 60:.1f} minutes, {rival.tokens:,} tokens "
        f"({rival.tokens / rival.seconds:,.0f}/s)"
    )
    rows = [("weights", f"{rival.parameters / 1e6:.2f} M"), ("trained", training)]
    rows += [(unit, f"{value:.3f}") for unit, value in found["bits"].items()]
    for who, scores in found.get("rouge", {}).items():
        rows.append((f"ROUGE-1/2/L, {who}", " / ".join(f"{s['value']:.3f}" for s in scores.values())))
    if "sources cut" in found:
        rows.append(("sources longer than the context, cut", f"{found['sources cut']:.1%}"))
    rows += [(f"tokens/s at batch {batch}", f"{value:,.0f}") for batch, value in found["tokens/s"].items()]
    rows.append(("peak memory", f"{found['peak memory, MB']:,.0f} MB"))
    return ["| rival | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]


def _show(what: str) -> Callable[[int, int], None]:
    def show(done: int, total: int) -> None:
        if done % 50 == 0:
            print(f"{what}: {done} of {total} steps", flush=True)

    return show


def fitting(setup: Setup, codec: TokenCodec, corpus: Corpus) -> Setup:
    """The context cut to the longest document, if that is shorter."""
    if corpus.targets is not None:
        return setup
    longest = 1 + max(map(len, codec.encode_many([corpus.texts[i] for i in corpus.train])))
    return replace(setup, context=min(setup.context, longest))


def same_as(model: TextModel, setup: Setup) -> Setup:
    """A rival of the size, context and minutes of a model."""
    network, made = model.spec.network, model.history[-1]
    return replace(
        setup,
        width=network["width"],
        depth=network["depth"],
        context=model.spec.context,
        packed=model.spec.packed,
        minutes=setup.minutes or made["seconds"] / 60,
    )


def arguments() -> argparse.Namespace:
    """The command line: one option for each field of ``Setup``, and the rest."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data")
    parser.add_argument("--kind", default="bpe", help="tokens: byte, character, bpe")
    parser.add_argument("--size", type=int, help="entries of the vocabulary")
    for field in fields(Setup):
        flag = f"--{field.name.replace('_', '-')}"
        if isinstance(field.default, bool):
            parser.add_argument(flag, action="store_true")
        else:
            kind = float if field.name == "minutes" else type(field.default)
            parser.add_argument(flag, type=kind, default=field.default)
    parser.add_argument("--like", type=Path, help="a model of `unfog train language` to be the rival of")
    parser.add_argument("--keep", type=Path, help="safetensors file for the rival, for writing.py")
    parser.add_argument("--rival", type=Path, help="one that was kept, to be measured and not trained")
    parser.add_argument("--held-out", type=float, default=0.1, help="share of the documents")
    parser.add_argument("--most", type=int, default=2000, help="held-out documents to measure with")
    parser.add_argument("-n", type=int, default=500, help="texts to write, or to summarise")
    parser.add_argument("--show", type=int, default=3, help="of them to print")
    parser.add_argument("--judge", type=int, default=0, metavar="STEPS", help="of training a reader; 0: none")
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own choice)")
    parser.add_argument("--out", type=Path, help="JSON file with everything")
    return parser.parse_args()


def main() -> None:
    """Read the command line, train, measure, print."""
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    here = facts(["unfog"])
    print(describe(here), f"{torch.get_num_threads()} threads", sep=", ", flush=True)
    corpus = open_corpus(options.data, held_out=options.held_out)
    print(corpus.summary(), flush=True)
    chosen = [corpus.texts[i] for i in corpus.train]
    chosen += [] if corpus.targets is None else [corpus.targets[i] for i in corpus.train]
    setup = Setup(**{field.name: getattr(options, field.name) for field in fields(Setup)})
    if options.like:
        model = load_text(options.like)
        codec, setup = model.codec, same_as(model, setup)
    else:
        codec = TokenCodec.learn(chosen, options.kind, options.size)
        setup = fitting(setup, codec, corpus)
    rival = Rival.load(options.rival) if options.rival else Rival(codec, setup)
    found = measure(corpus, rival, options)
    if options.keep:
        rival.save(options.keep)
    print("\n" + "\n".join(report(rival, found)))
    if options.out:
        training = {"steps": rival.steps, "seconds": rival.seconds, "tokens": rival.tokens}
        size = {"weights": rival.parameters, "vocabulary": codec.vocabulary}
        everything = {"machine": here, "setup": asdict(rival.setup), "data": corpus.digest} | size | training
        write_json(options.out, everything | found)


if __name__ == "__main__":
    main()
