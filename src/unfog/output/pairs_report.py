"""The page that tells how well a pair model finds texts for pictures and pictures for texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unfog.output import figures
from unfog.output.provenance import Picture
from unfog.output.sheet import resized
from unfog.output.story_page import Story, write_story

TILE = 96  # pixels, side of a picture on the page

_EN = {
    "shown": "Held-out pictures, and the captions that are found for them",
    "shown_intro": "Of all held-out captions, the three whose vectors are nearest to the picture's. "
    "Right ones are marked with ✓; below stand the picture's own.",
    "own": "its own",
    "metrics": "Who finds whom",
    "metrics_intro": "Each held-out caption looks for its picture among all held-out pictures, and each "
    "picture for one of its captions. Rank 1 is found at once; chance is about half of the candidates.",
    "way": "Way",
    "median": "Median rank",
    "recall": "Among the first",
    "candidates": "Candidates",
    "count": "Asked",
    "near": "How near vectors are to that of the picture",
    "near_intro": "Cosine, 1 is the same: what the prior imagines for a caption, the caption itself, and "
    "another picture.",
    "vector": "Vector",
    "cosine": "Cosine",
}
_ZH = {
    "shown": "留出的图片，以及为它们找到的说明",
    "shown_intro": "在全部留出说明中，向量与图片最接近的三条。正确的以 ✓ 标出；下面是图片自己的说明。",
    "own": "自己的说明",
    "metrics": "谁找到谁",
    "metrics_intro": "每条留出说明在全部留出图片中寻找自己的图片，每张图片寻找自己的说明。"
    "名次 1 表示一次找到；随机猜测约为候选数的一半。",
    "way": "方向",
    "median": "名次中位数",
    "recall": "名列前",
    "candidates": "候选数",
    "count": "提问数",
    "near": "各向量离图片向量有多近",
    "near_intro": "余弦，1 表示相同：先验为说明想象的向量、说明本身的向量，以及另一张图片的向量。",
    "vector": "向量",
    "cosine": "余弦",
}
OWN = {"en": _EN, "zh": _ZH}


@dataclass(frozen=True)
class Shown:
    """A picture with the captions that were found for it.

    Attributes:
        picture: uint8 (H, W, C).
        own: its own captions.
        found: captions, nearest first, and whether each is one of its own.
    """

    picture: Picture
    own: tuple[str, ...]
    found: tuple[tuple[str, bool], ...]


@dataclass(kw_only=True)
class PairsReport(Story):
    """What can be told about a pair model, beside what ``Story`` has.

    Attributes:
        shown: pictures with the captions that were found.
        found: rows of way, median rank, recall at 1, 5 and 10, candidates, number asked.
        near: (name, cosine) pairs.
    """

    shown: Sequence[Shown] = ()
    found: Sequence[Sequence[str]] = ()
    near: Sequence[tuple[str, str]] = ()


def write_pairs_report(path: str | Path, report: PairsReport, *, lang: str = "en") -> Path:
    """Write the report as one HTML file; returns its path.

    Args:
        path: where to.
        report: what to tell.
        lang: "en" or "zh".
    """
    return write_story(
        path,
        "pairs_report.html",
        report,
        OWN,
        lang=lang,
        shown=[(figures.picture_uri(_tile(each.picture)), each.own, each.found) for each in report.shown],
        found=report.found,
        near=report.near,
    )


def _tile(picture: Picture) -> Picture:
    """Grown by a whole number where it is small, so that its pixels stay square."""
    scale = max(1, TILE // max(picture.shape[:2]))
    return resized(picture, scale * picture.shape[0], scale * picture.shape[1])
