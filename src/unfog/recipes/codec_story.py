"""What is told about a codec before diffusion starts: figures, warnings with a way out, and the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from unfog.data import Options, PictureStore, open_pictures
from unfog.errors import DataError
from unfog.evaluate.figure import Figure
from unfog.evaluate.pictures import Pictures
from unfog.evaluate.reconstruction import Reconstruction, reconstruction
from unfog.model import CodecModel
from unfog.nets.quantise import perplexity
from unfog.output.codec_report import CodecReport, write_codec_report
from unfog.output.facts import Losses
from unfog.output.provenance import Provenance
from unfog.recipes.assess import Evaluation, trained_on
from unfog.recipes.judge import Judge
from unfog.recipes.listen import Listener, Silent
from unfog.train.run import read_log

if TYPE_CHECKING:
    from unfog.recipes.codec import CodecConfig

FEW = 2000  # held-out pictures that are sent there and back, at most
SHOWN, WORST, LAID_OUT = 24, 8, 8  # pictures on the page
BAND_NAMES = ("2 to 4 pixels", "4 to 8 pixels", "8 to 16 pixels", "larger than 16 pixels")

LEAST_PSNR = 24.0  # decibels; below, errors are seen at a glance
LEAST_SSIM = 0.85
MOST_DISTANCE = 1.5  # times that of real pictures
FINEST_LOST = 0.5
LEAST_USE = 0.25  # of the codes
SILENT = 0.05  # of the deviation of the most telling channel


Distances = tuple[Figure | None, Figure | None, Figure | None]
"""Of reconstructions and of real pictures to training pictures, and between the two; None: not measured."""


@dataclass(frozen=True, eq=False)
class Told:
    """Everything that is known about a codec.

    Attributes:
        found: how pictures come back.
        pictures, again: those pictures, uint8 (N, H, W, C), and what came back.
        distance, floor: Frechet distance of reconstructions and of the pictures themselves to training
            pictures; None where nobody asked.
        apart: Frechet distance between the two.
        space: the features they are measured in.
        use: perplexity and share in use of the codes; None for "kl".
        warnings: what is not good enough, and what to change.
    """

    found: Reconstruction
    pictures: Pictures
    again: Pictures
    distance: Figure | None
    floor: Figure | None
    apart: Figure | None
    space: str
    use: tuple[float, float] | None
    warnings: list[str]

    def rows(self) -> list[tuple[str, Figure, Figure | None, str, str]]:
        """(name, of reconstructions, of real pictures, better, meaning) of each figure."""
        found = self.found
        rows: list[tuple[str, Figure, Figure | None, str, str]] = [
            ("PSNR, dB", found.psnr, None, "higher", "size of the error; 30 is hard to see"),
            ("SSIM", found.ssim, None, "higher", "structure that is kept, 1 is all of it"),
        ]
        if found.quick is not None:
            rows.append(("PSNR of previews, dB", found.quick, None, "higher", "by the small decoder"))
        if self.distance is not None and self.floor is not None:
            rows.append(
                (
                    "Frechet distance",
                    self.distance,
                    self.floor,
                    "near real",
                    f"to training pictures: samples cannot be expected to be nearer ({self.space})",
                )
            )
        if self.apart is not None:
            rows.append(
                ("Frechet distance between both", self.apart, None, "lower", "reconstructions and originals")
            )
        if self.use is not None:
            count = len(self.pictures)
            rows.append(("codes in use", Figure(self.use[1], None, None, count), None, "higher", "share"))
            rows.append(
                ("perplexity of codes", Figure(self.use[0], None, None, count), None, "higher", "variety")
            )
        return rows

    def values(self) -> dict[str, Any]:
        """All of it as plain values."""
        values: dict[str, Any] = {
            "psnr": self.found.psnr.to_dict(),
            "ssim": self.found.ssim.to_dict(),
            "lost": dict(zip(BAND_NAMES, self.found.lost, strict=True)),
        }
        for name, figure in (
            ("preview_psnr", self.found.quick),
            ("frechet", self.distance),
            ("frechet_real", self.floor),
            ("frechet_between", self.apart),
        ):
            if figure is not None:
                values[name] = figure.to_dict()
        if self.use is not None:
            values |= {"perplexity": self.use[0], "codes_in_use": self.use[1]}
        return values


def learn_about(model: CodecModel, store: PictureStore, listener: Listener, *, distance: bool = True) -> Told:
    """Measure a codec on held-out pictures.

    Args:
        model: the codec.
        store: its pictures.
        listener: is told about progress.
        distance: also look at the set as a whole, for which a judge may have to be trained.
    """
    pictures = np.array(store.images[store.held_out[:FEW]])
    listener.phase("Measuring the codec", 0, 2)
    found, again = reconstruction(
        pictures,
        model.reconstruct,
        None if model.codec.tiny is None else lambda few: model.reconstruct(few, quick=True),
    )
    listener.phase("Measuring the codec", 1, 2)
    distances: Distances = (None, None, None)
    space = ""
    if distance and len(store.train) >= 3 and len(pictures) >= 4:
        judge = Judge(store, listener)
        space = judge.space
        distances = (
            judge.figures(again, None)[0],
            judge.figures(pictures, None)[0],
            judge.apart(again, pictures),
        )
    use = _use(model, pictures)
    listener.phase("Measuring the codec", 2, 2)
    return Told(found, pictures, again, *distances, space, use, warnings_of(model, found, distances, use))


@torch.no_grad()
def _use(model: CodecModel, pictures: Pictures) -> tuple[float, float] | None:
    quantiser = model.codec.autoencoder.quantiser
    if quantiser is None:
        return None
    kept = torch.cat(
        [
            quantiser.indices(model.codec.compress(torch.from_numpy(part).permute(0, 3, 1, 2)))
            for part in np.array_split(pictures, -(-len(pictures) // 64))
        ]
    )
    return perplexity(kept, quantiser.codes)


def warnings_of(
    model: CodecModel,
    found: Reconstruction,
    distances: Distances,
    use: tuple[float, float] | None,
) -> list[str]:
    """What is not good enough for diffusion to start, each with what to change."""
    config, notes = model.codec.autoencoder.config, list[str]()
    more = f"Train longer, or --set codec.latent={2 * config.latent}"
    more += ", or --preset base." if config.factor <= 2 else f", or --set codec.factor={config.factor // 2}."
    if found.psnr.value is not None and found.psnr.value < LEAST_PSNR:
        notes.append(
            f"Reconstructions are {found.psnr.value:.1f} dB from the pictures: below {LEAST_PSNR:.0f} errors "
            f"are seen at a glance, and no model in these latents can draw better. {more}"
        )
    elif found.ssim.value is not None and found.ssim.value < LEAST_SSIM:
        notes.append(
            f"Structure is lost (SSIM {found.ssim.value:.2f}, below {LEAST_SSIM}): no model in these latents "
            f"can draw it. {more}"
        )
    elif found.lost[0] is not None and found.lost[0] > FINEST_LOST:
        notes.append(
            f"{min(found.lost[0], 1.0):.0%} of the finest detail is lost: pictures will look soft. {more} "
            "A judge of sharpness helps, too: --set train.adversarial=0.1."
        )
    distance, floor, _ = distances
    if _clearly_farther(distance, floor):
        assert distance and floor and distance.value and floor.value
        notes.append(
            f"As a set, reconstructions are {distance.value / floor.value:.1f} times as far from "
            f"training pictures as real ones are. {more}"
        )
    if use is not None and use[1] < LEAST_USE:
        notes.append(
            f"Only {use[1]:.0%} of the codes are in use: fewer will do (--set codec.codes=... or "
            "codec.levels=...), or train longer."
        )
    std = model.codec.latents.std
    if silent := [str(i + 1) for i, each in enumerate(std) if each < SILENT * max(std)]:
        notes.append(
            f"Channel {', '.join(silent)} of the latents says next to nothing: fewer channels will do "
            f"(--set codec.latent={config.latent - len(silent)})."
        )
    return notes


def _clearly_farther(distance: Figure | None, floor: Figure | None) -> bool:
    """Whether a distance is so much above its floor that chance does not explain it."""
    if not (distance and floor and distance.value and floor.value) or distance.low is None:
        return False
    return distance.value > MOST_DISTANCE * floor.value and distance.low > (floor.high or 0.0)


def tell(
    run: Path, config: CodecConfig, store: PictureStore, model: CodecModel, samples: int, listener: Listener
) -> Path:
    """Measure, say the figures, and write ``RUN/report.html``; returns its path."""
    told = learn_about(model, store, listener, distance=samples > 0)
    for line in lines_of(told, model):
        listener.say(line)
    for warning in told.warnings:
        listener.say(f"Warning: {warning}")
    worst = told.found.worst(WORST)
    quick = None if model.codec.tiny is None else model.reconstruct(told.pictures[:SHOWN], quick=True)
    latents = model.codec.latents
    report = CodecReport(
        title=f"{Path(store.source).stem}: a codec for {store.size} x {store.size} pixels",
        warnings=told.warnings,
        facts=_facts(config, store, model),
        pictures=told.pictures[:SHOWN],
        again=told.again[:SHOWN],
        quick=quick,
        worst=told.pictures[worst],
        worst_again=told.again[worst],
        figures=[
            (name, str(mine), "" if real is None else str(real), what)
            for name, mine, real, _, what in told.rows()
        ],
        bands=_bands(told.found),
        channels=list(zip(latents.mean, latents.std, latents.low, latents.high, strict=True)),
        latents=_laid_out(model, told.pictures[:LAID_OUT]),
        losses=losses_of_run(run),
        provenance=Provenance(model=model.fingerprint(), recipe="codec", kind="grid"),
        command=_command(config),
    )
    return write_codec_report(run / "report.html", report)


def lines_of(told: Told, model: CodecModel) -> list[str]:
    """The figures in a few lines for a terminal."""
    first = f"Held-out pictures come back at {told.found.psnr.value:.1f} dB, SSIM {told.found.ssim.value:.3f}"
    if told.distance is not None and told.floor is not None and told.distance.value is not None:
        first += f"; Frechet distance {told.distance.value:.3g}, of real pictures {told.floor.value:.3g}"
    lines = [first + "."]
    lost = [f"{name} {share}" for name, share in _bands(told.found)]
    lines.append(f"Lost by size of detail: {', '.join(lost)}.")
    pairs = zip(model.codec.latents.mean, model.codec.latents.std, strict=True)
    lines.append(f"Latents, mean ± deviation: {', '.join(f'{m:.2f} ± {s:.2f}' for m, s in pairs)}.")
    if told.use is not None:
        lines.append(f"Codes in use: {told.use[1]:.0%}, perplexity {told.use[0]:.0f}.")
    return lines


def _bands(found: Reconstruction) -> list[tuple[str, str]]:
    return [
        (name, f"{min(share, 1.0):.1%}")
        for name, share in zip(BAND_NAMES, found.lost, strict=True)
        if share is not None
    ]


def _laid_out(model: CodecModel, pictures: Pictures) -> np.ndarray:
    """The channels of some pictures as grey pictures, uint8 (N c, h, w, 1)."""
    with torch.no_grad():
        x = model.encode(pictures)
    low, high = model.codec.limits()
    grey = ((x - low) / (high - low) * 255).clamp(0, 255).round().to(torch.uint8)
    laid_out: np.ndarray = grey.flatten(0, 1)[..., None].cpu().numpy()
    return laid_out


def _facts(config: CodecConfig, store: PictureStore, model: CodecModel) -> list[tuple[str, str]]:
    made, codec = model.history[-1], model.codec
    (channels, height, width), shape = codec.latent, codec.autoencoder.config
    share = np.prod(model.shape) / np.prod(codec.latent)
    kinds = {
        "kl": "mean and variance (kl)",
        "vq": f"{shape.codes} codes (vq)",
        "fsq": f"{shape.levels} (fsq)",
    }
    return [
        ("Data", f"{Path(store.source).name}, {len(store):,} pictures"),
        ("Held out", f"{len(store.held_out):,}"),
        ("Latents", f"{width} x {height}, {channels} channels, {share:.3g} times fewer numbers"),
        ("Kind", kinds[shape.kind]),
        ("Network", f"convolutional autoencoder, {model.count_parameters():,} weights"),
        (
            "Training",
            f"{made['steps']:,} steps of {config.train.batch} pictures, {made['seconds'] / 60:.1f} minutes",
        ),
        ("Machine", made["machine"]),
        ("Validation loss", f"{made['validation']:.4f}"),
        ("Data (SHA-256)", store.digest),
    ]


def losses_of_run(run: Path) -> Losses:
    """The curves of a run: of its steps, and of what it was asked about held-out examples."""
    rows = read_log(run)
    taken = {row["step"]: row for row in rows if "loss" in row}
    checked = {row["step"]: row["validation"] for row in rows if row.get("event") == "validation"}
    return Losses(
        train=(list(taken), [row["loss"] for row in taken.values()]) if taken else None,
        validation=(list(checked), list(checked.values())) if checked else None,
        learning_rate=(list(taken), [row["rate"] for row in taken.values()]) if taken else None,
    )


def _command(config: CodecConfig) -> str:
    source = Path(config.data.source).name
    length = (
        f"--steps {config.train.steps}" if config.train.steps else f"--minutes {config.train.minutes or 10:g}"
    )
    preset = "" if config.preset == "small" else f" --preset {config.preset}"
    size = f" --size {config.data.size}" if config.data.size else ""
    return f"unfog train codec --data {source} --out RUN{size} {length} --seed {config.train.seed}{preset}"


def evaluate_codec(model: CodecModel, data: str | Path, *, listener: Listener | None = None) -> Evaluation:
    """The same figures, for ``unfog evaluate``.

    Args:
        model: the codec.
        data: pictures: the same source gives the same held-out part.
        listener: is told about progress.

    Raises:
        DataError: there are no held-out pictures.
    """
    listener, made = listener or Silent(), trained_on(model)
    columns = made.get("columns", {})
    store = open_pictures(
        data,
        size=model.shape[1],
        channels=model.shape[0],
        held_out=made.get("held_out_share", 0.1),
        options=Options(**{what: columns.get(what) for what in ("image", "label", "caption")}),
        progress=lambda done, total: listener.phase("Reading pictures", done, total),
    )
    if not len(store.held_out):
        raise DataError(f"{data} has no held-out pictures to measure. Give more than one picture.")
    told = learn_about(model, store, listener)
    notes = [*lines_of(told, model)[1:], *told.warnings]
    if made and made.get("digest") != store.digest:
        notes.append("These are not exactly the pictures the codec was trained on (another content hash).")
    rows = [
        [name, str(mine), "-" if real is None else str(real), better, str(mine.n)]
        for name, mine, real, better, _ in told.rows()
    ]
    values = {"pictures": len(told.pictures), "figures": told.values(), "notes": notes}
    values["latents"] = model.codec.latents.to_dict()
    return Evaluation(values, rows, notes)
