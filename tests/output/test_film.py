import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from unfog.errors import OutputError
from unfog.output import film
from unfog.output.film import encode_film, write_film
from unfog.output.provenance import Provenance, read_marks, read_provenance

ENTRY = Provenance(seed=3, prompt="猫 ]]> <&\"'", settings={"a": "</x>"}, version="1")


def frames(steps=5, count=4, size=8, channels=1):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (steps, count, size, size, channels), dtype=np.uint8)


@pytest.mark.parametrize("suffix", film.FORMATS)
@pytest.mark.parametrize("channels", [1, 3])
def test_film_moves_holds_and_tells(tmp_path, suffix, channels):
    path = write_film(tmp_path / f"x{suffix}", frames(channels=channels), ENTRY)
    found = read_provenance(path)
    assert found is not None and found.kind == "film" and found.prompt == ENTRY.prompt
    assert found.settings == ENTRY.settings
    marks = read_marks(path)
    assert marks["source_type"].endswith("trainedAlgorithmicMedia") and marks["aigc"]["Label"] == "1"
    with Image.open(path) as image:
        times = [frame.info["duration"] for frame in ImageSequence.Iterator(image) if frame.load()]
        assert image.n_frames == 5 and image.info.get("loop") == 0
    assert times[0] == 80 and times[-1] == 2500


@given(text=st.text(max_size=40))
@settings(max_examples=8)
def test_webp_carries_any_text(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("f") / "x.webp"
    write_film(path, frames(2, 1, 4), Provenance(prompt=text, settings={text: text}))
    found = read_provenance(path)
    assert found is not None and found.prompt == text and found == read_provenance(path)


@pytest.mark.parametrize("suffix", [".webp", ".png", ".gif"])
def test_same_frames_same_bytes(suffix):
    assert encode_film(suffix, frames(), ENTRY) == encode_film(suffix, frames(), ENTRY)


def test_last_frame_is_exact():
    data = frames(3, 1, 8)
    import io

    with Image.open(io.BytesIO(encode_film(".webp", data, ENTRY))) as image:
        image.seek(2)
        last = np.asarray(image.convert("L"))
    step = 12  # 8 pixels fill a tile of 96
    shown = last[6 + step // 2 : -6 : step, 6 + step // 2 : -6 : step]
    assert (shown == data[-1, 0, :, :, 0]).all()


def test_long_films_and_crowds_are_thinned():
    data = encode_film(".png", frames(80, 50), ENTRY)
    import io

    with Image.open(io.BytesIO(data)) as image:
        assert image.n_frames == film.MAX_FRAMES and image.size[0] <= 640


def test_size_is_modest():
    assert len(encode_film(".webp", frames(16, 36, 28), ENTRY)) < 500_000


def test_single_frames_and_still_films(tmp_path):
    for suffix in film.FORMATS:
        path = write_film(tmp_path / f"one{suffix}", frames(1), ENTRY)
        assert read_provenance(path) is not None
        still = np.repeat(frames(1), 4, axis=0) * 0
        assert read_provenance(write_film(tmp_path / f"still{suffix}", still, ENTRY)) is not None


def test_progress():
    seen = []
    encode_film(".gif", frames(3), ENTRY, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        (".mp4", frames()),
        ("", frames()),
        (".webp", frames()[0]),
        (".webp", frames() / 255),
        (".webp", frames()[:0]),
    ],
)
def test_refusals(tmp_path, suffix, data):
    with pytest.raises(OutputError, match="film"):
        write_film(tmp_path / f"x{suffix}", data, ENTRY)
    assert not list(tmp_path.iterdir())


def test_number_of_the_content_is_the_films_own(tmp_path):
    paths = [write_film(tmp_path / f"{size}.webp", frames(size=size), ENTRY) for size in (8, 9)]
    assert len({read_marks(path)["aigc"]["ProduceID"] for path in paths}) == 2
