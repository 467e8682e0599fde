"""What made a picture, carried by the picture itself.

Every PNG that unfog writes holds, as text chunks: `unfog` (JSON, all that `unfog sample --again` needs),
`parameters` (one line for people and for galleries that show it), `Software`, `Comment: AI-generated`, `AIGC`
(GB 45438-2025), and an XMP packet with the IPTC digital source type and the same again. WebP and GIF hold the
XMP packet. `marks` says where the forms come from.

The bytes depend on nothing but the input: no time, no machine, no path. Names of files in the settings lose
their folders.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from importlib import metadata
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unfog.atomic import atomic_write
from unfog.errors import DataError, OutputError
from unfog.output import containers, marks

FORMAT = 1
MAX_JSON = 128 << 10  # bytes; the reader's limits in containers leave room for this much escaped twice

Picture = NDArray[np.uint8]


@lru_cache
def software_version() -> str:
    """The version of the installed unfog, or "0" in a source tree that was never installed."""
    try:
        return metadata.version("unfog")
    except metadata.PackageNotFoundError:
        return "0"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What made one picture (or a grid or film of several): enough to make it again.

    Attributes:
        model: SHA-256 of the model, hexadecimal.
        recipe: what kind of model: image, text2image, ...
        kind: "picture", "grid" (a sheet of pictures) or "film".
        seed: seed of the request.
        index: number of the picture within the request, from 0; for a grid or film, of its first picture.
        batch_first: number of the first picture of the batch this one was drawn in. Sums in a network depend
            in their last bits on the size of the batch, so the same bytes come only from the same batch.
        batch_size: size of that batch.
        label: name of the class that was asked for.
        prompt: text that was asked for.
        settings: sampler, steps, grid, guidance, thresholding, ...: whatever JSON can hold. Tuples become
            lists, numpy numbers plain ones, numbers that are not finite become text, and absolute paths lose
            their folders.
        producer: who answers for the content, for the AIGC mark: name or code of a public service.
        software: program that made it.
        version: its version.
        ai_generated: always True.

    Raises:
        OutputError: a setting is nothing that JSON can hold, or all is longer than 128 KiB.
    """

    model: str = ""
    recipe: str = "image"
    kind: str = "picture"
    seed: int = 0
    index: int = 0
    batch_first: int = 0
    batch_size: int = 1
    label: str | None = None
    prompt: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    producer: str = "unfog"
    software: str = "unfog"
    version: str = field(default_factory=software_version)
    ai_generated: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "settings", {str(k): _plain(k, v) for k, v in sorted(self.settings.items(), key=str)}
        )
        problem = _problem(self.to_dict())
        if problem:
            raise OutputError(f"This provenance cannot be written: {problem}.")
        if len(self.to_json()) > MAX_JSON:
            raise OutputError(
                f"Prompt and settings take more than {MAX_JSON >> 10} KiB: too much for a picture. Shorten."
            )

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values, for `index.jsonl` and `unfog inspect`."""
        return {name: getattr(self, name) for name in _NAMES}

    def to_json(self) -> str:
        """Canonical ASCII JSON: the same provenance always gives the same text."""
        return json.dumps({"format": FORMAT, **self.to_dict()}, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """The inverse of `to_json`, for text from anywhere.

        Raises:
            DataError: the text is damaged, lacks something, or comes from a newer unfog.
        """
        if len(text) > MAX_JSON:
            raise DataError("The provenance in this file is too long to be from unfog.")
        try:
            value = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise DataError("The provenance in this file is damaged: it is not valid JSON.") from None
        if not isinstance(value, dict):
            raise DataError("The provenance in this file is damaged: it is not a JSON object.")
        made_by = value.pop("format", None)
        if type(made_by) is int and made_by > FORMAT:
            raise DataError("This file was made by a newer unfog. Update with: pip install -U unfog")
        missing, unknown = set(_NAMES) - value.keys(), value.keys() - set(_NAMES)
        if missing or unknown or type(made_by) is not int:
            which = ", ".join(sorted(repr(name)[:40] for name in missing or unknown)[:5]) or "'format'"
            raise DataError(f"The provenance in this file is damaged: wrong or missing {which}.")
        problem = _problem(value)
        if problem:
            raise DataError(f"The provenance in this file is damaged: {problem}.")
        try:
            return cls(**value)
        except (OutputError, ValueError, RecursionError):
            raise DataError("The provenance in this file is damaged: its settings cannot be read.") from None

    def describe(self) -> str:
        """One line for people, in the form that galleries of generated pictures read from `parameters`."""
        parts: dict[str, Any] = {"Seed": self.seed, "Index": self.index}
        parts |= {key.replace("_", " ").capitalize(): value for key, value in self.settings.items()}
        parts |= {"PictureModel hash": self.model[:10], "Version": f"{self.software} {self.version}"}
        asked = self.prompt if self.prompt is not None else self.label and f"label {self.label}"
        line = ", ".join(f"{key}: {_short(value)}" for key, value in parts.items() if value not in ("", None))
        return f"{asked}\n{line}" if asked else line


_NAMES = tuple(f.name for f in fields(Provenance))


def write_picture(
    path: str | Path,
    array: Picture,
    provenance: Provenance,
    *,
    replace: bool = True,
    durable: bool = True,
) -> Path:
    """Write one picture as PNG with everything that made it. The same input gives the same bytes.

    Args:
        path: where to; should end in `.png`.
        array: uint8, (H, W), (H, W, 1) or (H, W, 3).
        provenance: what made it.
        replace: whether an existing file may be replaced.
        durable: whether to wait for the disk, see `atomic_write`.

    Raises:
        OutputError: not a picture, or the file cannot be written.
    """
    return atomic_write(path, encode_png(array, provenance), replace=replace, durable=durable)


def encode_png(array: Picture, provenance: Provenance | None = None) -> bytes:
    """A picture, uint8 (H, W), (H, W, 1) or (H, W, 3), as a PNG file, with provenance if given."""
    buffer = io.BytesIO()
    to_image(array).save(buffer, "PNG", compress_level=9)
    return buffer.getvalue() if provenance is None else mark_png(buffer.getvalue(), provenance, array)


def to_image(array: Picture) -> Image.Image:
    """A Pillow image of a uint8 array (H, W) or (H, W, C): C 1 grey, 3 colour, 2 and 4 the same with opacity.

    Raises:
        OutputError: another shape or type.
    """
    array = np.asarray(array)
    flat = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    fits = flat.ndim == 2 or (flat.ndim == 3 and flat.shape[2] in (2, 3, 4))
    if array.dtype != np.uint8 or not fits or 0 in array.shape:
        raise OutputError(
            f"A picture must be uint8 (H, W), (H, W, 1) or (H, W, 3), not {array.dtype} {array.shape}. "
            "Convert it first."
        )
    return Image.fromarray(np.ascontiguousarray(flat))


def mark_png(data: bytes, provenance: Provenance, content: NDArray[Any]) -> bytes:
    """A PNG or APNG file with the marks put in; ``content`` is what it shows, for the number in AIGC."""
    xmp, aigc = _packet(provenance, content)
    texts = {
        "unfog": provenance.to_json(),
        "parameters": provenance.describe(),
        "Software": f"{provenance.software} {provenance.version}",
        "Comment": marks.COMMENT,
        "AIGC": marks.aigc_chunk(aigc),
    }
    return containers.insert_png(data, containers.png_texts(texts, xmp))


def mark_xmp(provenance: Provenance, content: NDArray[Any]) -> bytes:
    """The XMP packet for formats that carry nothing else (WebP, GIF)."""
    return _packet(provenance, content)[0]


def read_provenance(path: str | Path) -> Provenance | None:
    """What made a PNG, APNG, WebP or GIF file, if unfog did.

    Any file may be given: no picture is decoded, nothing is decompressed, sizes are limited.

    Returns:
        None for a file without unfog's mark, such as a photo, a text file or the picture of another generator
        (a `parameters` text alone is not ours).

    Raises:
        DataError: no such file, or it has the mark but the mark is damaged or from a newer unfog.
    """
    texts = containers.read_texts(path)
    text = texts.named.get("unfog")
    if text is None and texts.xmp is not None and "urn:unfog:provenance#" in texts.xmp:
        text = marks.xmp_property(texts.xmp, "provenance")
    if text is None:
        return None
    try:
        return Provenance.from_json(text)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def read_marks(path: str | Path) -> dict[str, Any]:
    """The marks of generated content in a file, whoever wrote them, for `unfog inspect`.

    Returns:
        Those present of `software`, `comment`, `source_type` (IPTC), `aigc` (GB 45438, a dict), `parameters`.

    Raises:
        DataError: no such file.
    """
    texts = containers.read_texts(path)
    xmp = texts.xmp or ""
    aigc = marks.xmp_property(xmp, "AIGC") or texts.named.get("AIGC", "")
    found = {
        "software": texts.named.get("Software") or marks.xmp_property(xmp, "CreatorTool"),
        "comment": texts.named.get("Comment"),
        "source_type": marks.xmp_property(xmp, "DigitalSourceType"),
        "aigc": marks.read_aigc(aigc),
        "parameters": texts.named.get("parameters"),
    }
    return {key: value for key, value in found.items() if value}


def _packet(provenance: Provenance, content: NDArray[Any]) -> tuple[bytes, dict[str, str]]:
    number = hashlib.sha256(provenance.to_json().encode())
    number.update(repr(content.shape).encode() + np.ascontiguousarray(content).tobytes())
    aigc = marks.aigc_field(provenance.producer, number.hexdigest()[:32])
    return marks.xmp_packet(f"{provenance.software} {provenance.version}", aigc, provenance.to_json()), aigc


def _plain(name: str, value: Any, depth: int = 0) -> Any:
    """A value as JSON will give it back."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, str):
        return _without_folders(str(value))
    if isinstance(value, PurePath):
        return value.name
    if depth < 16 and isinstance(value, Mapping):
        return {str(key): _plain(name, inner, depth + 1) for key, inner in value.items()}
    if depth < 16 and isinstance(value, list | tuple | np.ndarray):
        return [_plain(name, inner, depth + 1) for inner in value]
    raise OutputError(
        f"The setting {name!r} is a {type(value).__name__}, which a picture cannot carry. Give plain values."
    )


def _without_folders(text: str) -> str:
    """The last part of an absolute path; any other text as it is."""
    if not re.match(r"(/|~/|[A-Za-z]:[\\/]|\\\\|file:/)", text) or "\n" in text:
        return text
    return next((part for part in reversed(re.split(r"[\\/]", text)) if part), "")


def _problem(value: Mapping[str, Any]) -> str | None:
    """What is wrong with the types of the fields, or None."""
    for name in ("model", "recipe", "kind", "producer", "software", "version"):
        if not isinstance(value[name], str):
            return f"{name} is not text"
    for name in ("seed", "index", "batch_first", "batch_size"):
        if type(value[name]) is not int or abs(value[name]) >= 1 << 64:
            return f"{name} is not a whole number of at most 64 bits"
    for name in ("label", "prompt"):
        if not isinstance(value[name], str | None):
            return f"{name} is not text"
    if not isinstance(value["settings"], Mapping):
        return "settings are not a table"
    return None if value["ai_generated"] is True else "ai_generated is not true"


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 200 else text[:199] + "…"
