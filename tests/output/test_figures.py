import numpy as np
import pytest

from unfog.output import figures
from unfog.output.facts import Backward, Data, Forward, Losses, Neighbours
from unfog.output.provenance import Provenance
from unfog.output.words import words

W = words("en")
RNG = np.random.default_rng(0)


def noise(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def test_small_pictures_are_png_and_heavy_ones_webp():
    assert figures.picture_uri(noise(8, 8, 1)).startswith("data:image/png;base64,")
    heavy = figures.picture_uri(noise(300, 300, 3), heavy=10_000)
    assert heavy.startswith("data:image/webp;base64,")


@pytest.mark.parametrize("channels", [1, 3])
def test_sheets_carry_the_marks_in_both_forms(channels):
    entry = Provenance(seed=5)
    for heavy in (10, 10**9):
        data = figures.base64.b64decode(
            figures.picture_uri(noise(64, 64, channels), entry, heavy).split(",")[1]
        )
        assert b"trainedAlgorithmicMedia" in data


def test_forward_strip_tells_time_and_noise():
    t = np.linspace(0, 1, 20)
    alpha, sigma = np.cos(t * np.pi / 2), np.sin(t * np.pi / 2)
    tiles = figures.forward_tiles(Forward(pictures=noise(20, 8, 8, 1), t=t, alpha=alpha, sigma=sigma))
    assert len(tiles) == 10
    assert tiles[0].caption == ("t = 0", "α 1  σ 0", "SNR ∞")
    assert tiles[-1].caption == ("t = 1", "α 0  σ 1", "SNR −∞")
    assert figures.forward_tiles(Forward(pictures=noise(3, 8, 8, 1)))[0].caption == ()


def test_decibels():
    assert figures.decibels(1, 0.1) == "+20 dB"
    assert figures.decibels(0.1, 1) == "−20 dB"
    assert figures.decibels(0, 0) == "∞"
    assert figures.decibels(0.7, 0.7) == figures.decibels(0.7, 0.71) == "0 dB"


def test_backward_strips_of_one_and_several():
    one = figures.backward_strips(
        Backward(noisy=noise(5, 8, 8, 1), clean=noise(5, 8, 8, 1), t=[1, 0.8, 0.5, 0.2, 0])
    )
    assert len(one) == 1 and len(one[0]) == 5 and len(one[0][0].pictures) == 2
    many = figures.backward_strips(Backward(noisy=noise(6, 30, 8, 8, 3)))
    assert len(many) == 3 and len(many[0]) == 10 and len(many[0][0].pictures) == 1


def test_class_rows_are_named_and_cut():
    labels = np.array([1, 0, 1, -1, 5])
    rows = figures.class_rows(noise(5, 8, 8, 1), labels, ["a", "b"], "none")
    assert [row.name for row in rows] == ["a", "b", "5", "none"]
    rows = figures.class_rows(noise(100, 4, 4, 1), np.arange(100), [], "none")
    assert len(rows) == 24
    assert [row.name for row in figures.class_rows(noise(5, 8, 8, 1), None, [], "none")] == [""]


def test_neighbours_are_pairs():
    pairs = Neighbours(samples=noise(40, 8, 8, 1), nearest=noise(40, 8, 8, 1), distances=[0.5])
    tiles = figures.neighbour_tiles(pairs)
    assert len(tiles) == 16 and tiles[0].caption == ("0.5",) and tiles[1].caption == ()


def test_large_pictures_are_shrunk_and_not_pixelated():
    tile = figures.forward_tiles(Forward(pictures=noise(1, 400, 300, 3)))[0]
    assert not tile.pixelated and len(tile.pictures[0]) < 60_000


def test_histogram_of_data_and_samples():
    data = Data.measure(noise(10, 8, 8, 1))
    svg = figures.histogram(data, noise(5, 8, 8, 1), W)
    assert ">data</text>" in svg and ">samples</text>" in svg
    assert figures.histogram(None, None, W) == ""
    assert figures.histogram(Data(histogram=np.zeros(256)), None, W) == ""


def test_loss_charts_of_whatever_is_there():
    steps = np.arange(50)
    full = Losses(
        train=(steps, 1 / (1 + steps)), validation=([10, 40], [0.2, 0.1]), by_level=([0.1, 0.9], [1, 2])
    )
    assert len(figures.loss_charts(full, W)) == 2
    assert len(figures.loss_charts(Losses(learning_rate=(steps, steps)), W)) == 1
    assert figures.loss_charts(Losses(), W) == []
    assert figures.loss_charts(Losses(train=([], [])), W) == []
    assert len(figures.loss_charts(Losses(train=([1, 2], [float("nan"), 0.5])), W)) == 1


def test_films():
    assert figures.film_uri(b"RIFF....WEBP").startswith("data:image/webp")
    assert figures.film_uri(b"<svg onload=...>") is None
    assert figures.film_uri(b"GIF89a" + b"x" * figures.MAX_FILM) is None


@pytest.mark.parametrize("count", [1, 5, 23, 24, 500])
def test_hero_of_any_number(count):
    assert figures.hero(noise(count, 8, 8, 1)).startswith("data:image/")
