"""The page that tells what a codec keeps of pictures: to be read before diffusion starts in its latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unfog.atomic import atomic_write
from unfog.output import figures
from unfog.output.facts import Losses
from unfog.output.provenance import Picture, Provenance
from unfog.output.report import template
from unfog.output.sheet import contact_sheet
from unfog.output.words import words

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
    "metrics": "Figures",
    "figure": "Figure",
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
    "curves": "Training",
    "made": "Made by",
    "time_axis": "",
    "by_level": "",
}
_ZH = {
    "beside": "它从未见过的图片，以及重建结果",
    "beside_intro": "每三行为一组：第一行是留出的图片，第二行是由潜变量重建的结果，"
    "第三行是用于预览的小解码器给出的结果。",
    "beside_plain": "每两行为一组：第一行是留出的图片，第二行是由潜变量重建的结果。",
    "worst": "丢失了什么：误差最大的图片",
    "worst_intro": "留出图片中重建最差的几张：原图、重建结果，以及放大四倍的差异。",
    "metrics": "指标",
    "figure": "指标",
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
    "curves": "训练",
    "made": "由此命令生成",
    "time_axis": "",
    "by_level": "",
}
OWN = {"en": _EN, "zh": _ZH}


@dataclass(kw_only=True)
class CodecReport:
    """What can be told about a codec.

    Attributes:
        title: of the page.
        warnings: what to mind, and what to change.
        facts: (name, value) pairs on data, network and training.
        pictures, again, quick: held-out pictures, what comes back, and by the small decoder (or None), uint8
            (N, H, W, C).
        worst, worst_again: those with the largest errors, and what comes back.
        figures: (name, of reconstructions, of real pictures, meaning).
        bands: (name, share that is lost), finest first.
        channels: (mean, standard deviation, low, high) of each channel of the latents.
        latents: channels of some pictures as grey pictures, uint8 (N, h, w, 1).
        losses: curves of training.
        provenance: of what comes back.
        command: that makes it again.
    """

    title: str
    warnings: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    pictures: Picture
    again: Picture
    quick: Picture | None = None
    worst: Picture
    worst_again: Picture
    figures: Sequence[tuple[str, str, str, str]] = ()
    bands: Sequence[tuple[str, str]] = ()
    channels: Sequence[tuple[float, float, float, float]] = ()
    latents: Picture | None = None
    losses: Losses | None = None
    provenance: Provenance = field(default_factory=lambda: Provenance(recipe="codec", kind="grid"))
    command: str = ""


def write_codec_report(path: str | Path, report: CodecReport, *, lang: str = "en") -> Path:
    """Write the report as one HTML file; returns its path.

    Args:
        path: where to.
        report: what to tell.
        lang: "en" or "zh".
    """
    return atomic_write(path, template("codec_report.html").render(**_page(report, lang)))


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


def _page(report: CodecReport, lang: str) -> dict[str, Any]:
    from markupsafe import Markup

    w = {**words(lang), **OWN[lang]}
    charts = [] if report.losses is None else figures.loss_charts(report.losses, w)
    columns = max(1, min(8, len(report.pictures)))
    errors = stronger(report.worst, report.worst_again)
    worst = beside(max(1, min(8, len(report.worst))), report.worst, report.worst_again, errors)
    made = report.provenance
    latents = None
    if report.latents is not None:
        across = max(1, len(report.channels))
        sheet = contact_sheet(report.latents, columns=2 * across, max_width=900, tile=TILE)
        latents = figures.picture_uri(sheet)
    return {
        "w": w,
        "title": report.title,
        "warnings": list(report.warnings),
        "facts": list(report.facts),
        "beside": figures.picture_uri(beside(columns, report.pictures, report.again, report.quick), made),
        "beside_intro": w["beside_plain" if report.quick is None else "beside_intro"],
        "worst": figures.picture_uri(worst, made),
        "figures": list(report.figures),
        "bands": list(report.bands),
        "channels": [tuple(f"{value:.3g}" for value in row) for row in report.channels],
        "latents": latents,
        "charts": [Markup(chart) for chart in charts],
        "command": report.command,
    }
