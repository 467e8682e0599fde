"""Readers on disk, so that the second evaluation with the same texts need not train one again."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from unfog.atomic import atomic_write
from unfog.codec.tokens import TokenCodec
from unfog.data.cache import cache_folder
from unfog.errors import ConfigError, ModelError, OutputError
from unfog.evaluate.reader import Reader, ReaderConfig, train_reader
from unfog.nets.text import TextTransformer, TextTransformerConfig

VERSION = 2
"""Raised whenever the network or its training changes, so that older readers are not used."""


def open_reader(
    texts: Sequence[str],
    codec: TokenCodec,
    config: ReaderConfig | None = None,
    seed: int = 0,
    cache: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Reader:
    """The reader of these texts: from the cache, or trained now and put there.

    Args:
        texts: see ``train_reader``.
        codec: its tokens.
        config: its size.
        seed: of the training.
        cache: folder; None is $UNFOG_CACHE or the user's cache folder. One that cannot be written is no
            error: the reader is then trained again next time.
        progress: called with (done, total) training steps.

    Raises:
        DataError: fewer than two texts.
    """
    config = config or ReaderConfig()
    path = cache_folder(cache) / "readers" / texts_key(texts, codec, config, seed)
    with contextlib.suppress(ModelError):
        return load_reader(path)
    reader = train_reader(texts, codec, config, seed, progress)
    with contextlib.suppress(OutputError):
        save_reader(reader, path)
    return reader


def texts_key(texts: Sequence[str], codec: TokenCodec, config: ReaderConfig, seed: int) -> str:
    """A name (hex) that changes with everything a reader is made from."""
    sha = hashlib.sha256(json.dumps([VERSION, asdict(config), seed, codec.to_json()]).encode())
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        sha.update(len(raw).to_bytes(8, "little") + raw)
    return sha.hexdigest()[:32]


def save_reader(reader: Reader, path: Path) -> None:
    """Write ``path``.safetensors and ``path``.json.

    Raises:
        OutputError: they cannot be written.
    """
    weights = save({key: value.contiguous() for key, value in reader.network.state_dict().items()})
    facts = {
        "version": VERSION,
        "config": asdict(reader.config),
        "network": asdict(reader.network.config),
        "codec": reader.codec.to_json(),
        "learned_from": reader.learned_from,
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    atomic_write(path.with_name(path.name + ".safetensors"), weights)
    # last: it vouches for the weights
    atomic_write(path.with_name(path.name + ".json"), json.dumps(facts, indent=1))


def load_reader(path: Path) -> Reader:
    """Read what ``save_reader`` wrote.

    Raises:
        ModelError: it is not there, damaged, or of another version.
    """
    try:
        facts = json.loads(path.with_name(path.name + ".json").read_text("utf-8"))
        weights = path.with_name(path.name + ".safetensors").read_bytes()
        if facts["version"] != VERSION or hashlib.sha256(weights).hexdigest() != facts["sha256"]:
            raise ModelError(f"The reader {path} is damaged or of another version. Delete it.")
        with torch.random.fork_rng(devices=[]):
            network = TextTransformer(TextTransformerConfig(**facts["network"]))
        network.load_state_dict(load(weights))
        codec = TokenCodec.from_json(facts["codec"])
        reader = Reader(network, codec, ReaderConfig(**facts["config"]), int(facts["learned_from"]))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError, ConfigError) as error:
        raise ModelError(f"The reader {path} cannot be read ({error}). Delete it and try again.") from error
    network.eval().requires_grad_(False)
    return reader
