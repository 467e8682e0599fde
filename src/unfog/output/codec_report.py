"""The page that tells what a codec keeps of pictures: to be read before diffusion starts in its latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from unfog.output import figures
from unfog.output.provenance import Picture, Provenance
from unfog.output.sheet import contact_sheet
from unfog.output.story_page import Story, write_story

TILE = 128  # pixels, longest side of a picture on the page
STRONGER = 4  # times that errors are shown stronger than they are

_EN = {
    "beside": "Pictures that it never saw, and their reconstructions",
    "beside_intro": "Of each three rows, the first shows held-out pictures, the second what comes back from "
    "their latents, and the third the same by the small decoder that draws previews.",
    "beside_plain": "Of each two rows, the first shows held-out pictures, the second what comes back from "
    "their latents.",
    "worst": "What is lost: the largest errors",
    "worst_intro": "The held-out pictures that come back worst: as they are, as they come back, and the "
    "difference, four times stronger.",
    "here": "Reconstructions",
    "real": "Real, held out",
    "meaning": "Meaning",
    "bands": "What is lost, by size of detail",
    "bands_intro": "Power of the error beside the power of the pictures: 0 % is as it was, 100 % is gone.",
    "band": "Detail",
    "lost": "Lost",
    "latents": "The latents",
    "latents_intro": "Diffusion works on these numbers, moved and scaled to mean 0 and standard deviation 1 "
    "in each channel. Below: the channels of some held-out pictures, black and white at the "
    "limits.",
    "channel": "Channel",
    "mean": "Mean",
    "deviation": "Standard deviation",
    "limits": "Range after scaling",
}
_ZH = {
    "beside": "它从未见过的图片，以及重建结果",
    "beside_intro": "每三行为一组：第一行是留出的图片，第二行是由潜变量重建的结果，"
    "第三行是用于预览的小解码器给出的结果。",
    "beside_plain": "每两行为一组：第一行是留出的图片，第二行是由潜变量重建的结果。",
    "worst": "丢失了什么：误差最大的图片",
    "worst_intro": "留出图片中重建最差的几张：原图、重建结果，以及放大四倍的差异。",
    "here": "重建图片",
    "real": "真实图片（留出）",
    "meaning": "含义",
    "bands": "丢失了什么：按细节大小",
    "bands_intro": "误差功率与图片功率之比：0 % 表示完全保留，100 % 表示完全丢失。",
    "band": "细节",
    "lost": "丢失",
    "latents": "潜变量",
    "latents_intro": "扩散在这些数值上进行；每个通道先移动并缩放到均值 0、标准差 1。"
    "下图是若干留出图片的各个通道，黑与白对应取值范围的两端。",
    "channel": "通道",
    "mean": "均值",
    "deviation": "标准差",
    "limits": "缩放后的范围",
}
OWN = {"en": _EN, "zh": _ZH}


@dataclass(kw_only=True)
class CodecReport(Story):
    """What can be told about a codec, beside what ``Story`` has.

    Attributes:
        pictures, again, quick: held-out pictures, what comes back, and by the small decoder (or None), uint8
            (N, H, W, C).
        worst, worst_again: those with the largest errors, and what comes back.
        figures: (name, of reconstructions, of real pictures, meaning).
        bands: (name, share that is lost), finest first.
        channels: (mean, standard deviation, low, high) of each channel of the latents.
        latents: channels of some pictures as grey pictures, uint8 (N, h, w, 1).
        provenance: of what comes back.
    """

    pictures: Picture
    again: Picture
    quick: Picture | None = None
    worst: Picture
    worst_again: Picture
    figures: Sequence[tuple[str, str, str, str]] = ()
    bands: Sequence[tuple[str, str]] = ()
    channels: Sequence[tuple[float, float, float, float]] = ()
    latents: Picture | None = None
    provenance: Provenance = field(default_factory=lambda: Provenance(recipe="codec", kind="grid"))


def write_codec_report(path: str | Path, report: CodecReport, *, lang: str = "en") -> Path:
    """Write the report as one HTML file; returns its path.

    Args:
        path: where to.
        report: what to tell.
        lang: "en" or "zh".
    """
    made = report.provenance
    columns = max(1, min(8, len(report.pictures)))
    errors = stronger(report.worst, report.worst_again)
    worst = beside(max(1, min(8, len(report.worst))), report.worst, report.worst_again, errors)
    shown = [[f"{value:.3g}" for value in row] for row in report.channels]
    return write_story(
        path,
        "codec_report.html",
        report,
        OWN,
        lang=lang,
        quick=report.quick is not None,
        beside=figures.picture_uri(beside(columns, report.pictures, report.again, report.quick), made),
        worst=figures.picture_uri(worst, made),
        figures=report.figures,
        bands=report.bands,
        channels=[(n, mean, std, f"{low} – {high}") for n, (mean, std, low, high) in enumerate(shown, 1)],
        latents=None if report.latents is None else _laid_out(report.latents, len(report.channels)),
    )


def beside(columns: int, *rows: Picture | None) -> Picture:
    """Sets of pictures on one sheet, row by row below each other: uint8 (H, W, C).

    Args:
        columns: pictures in a row.
        rows: equally many pictures each, uint8 (N, H, W, C), or None to leave one out.
    """
    sets = [each for each in rows if each is not None]
    order = [one[start : start + columns] for start in range(0, len(sets[0]), columns) for one in sets]
    return contact_sheet(np.concatenate(order), columns=columns, max_width=1200, tile=TILE)


def stronger(pictures: Picture, again: Picture) -> Picture:
    """How much pictures differ, four times stronger, uint8 (N, H, W, C)."""
    difference = np.abs(pictures.astype(np.int16) - again)
    shown: Picture = np.minimum(STRONGER * difference, 255).astype(np.uint8)
    return shown


def _laid_out(latents: Picture, channels: int) -> str:
    """The channels of two pictures in each row, as the address of one picture."""
    sheet = contact_sheet(latents, columns=2 * max(1, channels), max_width=900, tile=TILE)
    return figures.picture_uri(sheet)
