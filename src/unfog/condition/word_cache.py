"""Words of many texts, read once and kept on disk.

A frozen language model always reads a text alike, and reading costs more than a step of a small drawing
network. So every different text is read once, and training picks what was read. Tokens lie one after the
other without empty places, in half precision, in files of some 50 MB that the system maps into memory:
100,000 captions of 32 tokens are 2.5 GB on disk and cost no memory but what a batch needs.

The folder is named after the language model's fingerprint and the texts, so that what was read by another
model, or of other captions, is never taken for this. On opening, files are compared with the hashes noted
when they were written (in samples, where there are more than 256 MB), and a damaged cache is read anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from unfog.condition.language import LanguageModel, Progress, check_texts
from unfog.condition.words import Words
from unfog.data.cache import (
    FULL_CHECK,
    Stale,
    cache_folder,
    lock,
    save_bytes,
    spot_digest,
    workplace,
    writing,
)
from unfog.errors import DataError

VERSION = 1
"""Raised whenever the files of the cache change, so that older ones are not used."""

CHUNK = 65_536
"""Tokens in a file: 50 MB of states of 384 numbers."""

_LARGEST = 60_000.0  # half precision ends at 65,504; some language models have states beyond
_INDEX, _MANIFEST = "index.safetensors", "manifest.json"

Rows = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class WordStore:
    """What was read of N texts; equal texts share it.

    Attributes:
        rows: which of the U different texts each one is, int64 (N,).
        places: file, first token in it and number of tokens of each different text, int64 (U, 3).
        ranks: which of the texts of its file each one is, int64 (U,): its row of the pooled vectors.
        states: of all tokens of each file, (tokens, D), half precision; of plain tokens int64 (tokens,).
        pooled: vectors of whole texts of each file, (texts, D), half precision; empty where there are none.
        notes: sentences the user should see.
    """

    rows: Tensor
    places: Tensor
    ranks: Tensor
    states: tuple[Tensor, ...]
    pooled: tuple[Tensor, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def pick(self, indices: Sequence[int] | Tensor) -> Words:
        """Words of some of the N texts, with no more empty places than the longest of them needs."""
        where = self.rows[torch.as_tensor(indices, dtype=torch.long)]
        found = self.places[where].tolist()
        empty = self.states[0][:0]
        parts = [self.states[file][first : first + count] if count else empty for file, first, count in found]
        counts = torch.tensor([count for _, _, count in found], dtype=torch.long)
        length = max(1, int(counts.max())) if found else 1
        mask = torch.arange(length) < counts[:, None]
        if not found or not mask.any():
            states = empty.new_zeros(len(found), length, *empty.shape[1:])
        else:
            states = pad_sequence(parts, batch_first=True)
        states = states.float() if states.is_floating_point() else states
        return Words(states, mask, mask.any(1), self._vectors(where, found))

    def _vectors(self, where: Tensor, found: list[list[int]]) -> Tensor | None:
        if not self.pooled:
            return None
        nothing = torch.zeros(self.pooled[0].shape[1])
        ranks = self.ranks[where].tolist()
        rows = [
            self.pooled[file][rank].float() if count else nothing
            for (file, _, count), rank in zip(found, ranks, strict=True)
        ]
        return torch.stack(rows) if rows else nothing.new_zeros(0, len(nothing))


def open_words(
    language: LanguageModel,
    texts: Sequence[str],
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> WordStore:
    """The words of many texts: from the cache, or read now and put there.

    Args:
        language: what reads them. Where reading costs next to nothing, nothing is put on disk.
        texts: captions; equal ones are read once.
        cache: folder of the cache; None is $UNFOG_CACHE or the user's cache folder.
        progress: called with (different texts read, different texts in all).

    Raises:
        DataError: a text holds half a character, or the cache cannot be written.
    """
    check_texts(texts)
    unique = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    rows = torch.tensor([unique[text] for text in texts], dtype=torch.long)
    if not language.dear:
        return _in_memory(language, list(unique), rows, progress)
    final = cache_folder(cache) / "words" / words_key(language, list(unique))
    notes: tuple[str, ...] = ()
    found = _load(final, rows)
    if isinstance(found, str):
        with lock(final.with_name(f"{final.name}.lock")):
            found = _load(final, rows)  # another process may have read them while this one waited
            if isinstance(found, str):
                notes = (f"The texts were read again: the cache was damaged ({found}).",) if found else ()
                with workplace(final) as temp:
                    _write(language, list(unique), temp, progress)
                found = _load(final, rows)
    if isinstance(found, str):
        raise DataError(f"The cache in {final} cannot be read back ({found}). Is the disk sound?")
    return replace(found, notes=notes)


def words_key(language: LanguageModel, texts: Sequence[str]) -> str:
    """A name (hex) that changes with everything that the words of these texts depend on."""
    sha = hashlib.sha256(json.dumps([VERSION, language.fingerprint]).encode())
    for text in texts:
        raw = text.encode()
        sha.update(len(raw).to_bytes(8, "little") + raw)
    return sha.hexdigest()[:32]


def _files(
    language: LanguageModel, texts: list[str], places: Tensor, ranks: Tensor, progress: Progress | None
) -> Iterator[dict[str, Tensor]]:
    """What goes into one file after the other; ``places`` and ``ranks`` are filled in on the way."""
    states: list[Tensor] = []
    pooled: list[Tensor] = []
    file = tokens = held = 0
    for indices, words in language.batches(texts, progress):
        counts = words.mask.sum(1)
        where = torch.tensor(indices)
        places[where] = torch.stack(
            [torch.full_like(counts, file), tokens + counts.cumsum(0) - counts, counts], 1
        )
        ranks[where] = held + torch.arange(len(indices))
        states.append(_half(words.states[words.mask]))
        if words.pooled is not None:
            pooled.append(_half(words.pooled))
        tokens, held = tokens + int(counts.sum()), held + len(indices)
        if tokens >= CHUNK:
            yield _joined(states, pooled)
            states, pooled, file, tokens, held = [], [], file + 1, 0, 0
    if states or not file:
        nothing = language.read([])
        yield _joined(states or [_half(nothing.states[nothing.mask])], pooled)


def _half(x: Tensor) -> Tensor:
    return x.clamp(-_LARGEST, _LARGEST).half() if x.is_floating_point() else x


def _joined(states: list[Tensor], pooled: list[Tensor]) -> dict[str, Tensor]:
    whole = {"pooled": torch.cat(pooled)} if pooled else {}
    return {"states": torch.cat(states), **whole}


def _blank(count: int) -> tuple[Tensor, Tensor]:
    """Places and ranks of texts that have no tokens."""
    return torch.zeros(count, 3, dtype=torch.long), torch.zeros(count, dtype=torch.long)


def _store(rows: Tensor, places: Tensor, ranks: Tensor, files: list[dict[str, Tensor]]) -> WordStore:
    pooled = tuple(each["pooled"] for each in files if "pooled" in each)
    return WordStore(rows, places, ranks, tuple(each["states"] for each in files), pooled)


def _in_memory(
    language: LanguageModel, texts: list[str], rows: Tensor, progress: Progress | None
) -> WordStore:
    places, ranks = _blank(len(texts))
    files = list(_files(language, texts, places, ranks, progress))
    return _store(rows, places, ranks, files)


def _write(language: LanguageModel, texts: list[str], folder: Path, progress: Progress | None) -> None:
    """Read texts and fill an empty folder with their words.

    Raises:
        DataError: the disk is full or not writable.
    """
    places, ranks = _blank(len(texts))
    names: list[str] = []
    with writing(folder / _INDEX):
        for number, tensors in enumerate(_files(language, texts, places, ranks, progress)):
            names.append(f"words-{number:04}.safetensors")
            _save(folder / names[-1], tensors)
        _save(folder / _INDEX, {"places": places, "ranks": ranks})
    noted = {name: [_digest(folder / name), spot_digest(folder / name)] for name in [*names, _INDEX]}
    body = {"version": VERSION, "files": noted}
    save_bytes(folder / _MANIFEST, json.dumps(body, indent=1).encode())  # last: it vouches for the others


def _save(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors; the library's own error for a full disk becomes the system's."""
    try:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    except SafetensorError as error:
        raise OSError(str(error)) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _load(folder: Path, rows: Tensor) -> WordStore | str:
    """Open a cache and check it; or why it cannot be used: '' if there is none."""
    if not folder.is_dir():
        return ""
    try:
        return _open(folder, rows)
    except Stale as stale:
        return str(stale)
    except FileNotFoundError as error:
        return f"{Path(error.filename or _MANIFEST).name} is missing"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        return f"it cannot be read: {error}"


def _open(folder: Path, rows: Tensor) -> WordStore:
    body = json.loads((folder / _MANIFEST).read_text("utf-8"))
    noted: dict[str, list[str]] = body["files"]
    size = sum((folder / name).stat().st_size for name in noted)
    for name, (whole, spots) in noted.items():
        path = folder / name
        sound = _digest(path) == whole if size <= FULL_CHECK else spot_digest(path) == spots
        if not sound:
            raise Stale(f"{name} has changed")
    index = load_file(folder / _INDEX)
    files = [load_file(folder / name) for name in sorted(noted) if name != _INDEX]  # mapped, not read
    return _store(rows, index["places"], index["ranks"], files)
