import json
import math
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from unfog.errors import DataError, OutputError
from unfog.output import containers, marks
from unfog.output.provenance import (
    MAX_JSON,
    Provenance,
    encode_png,
    read_marks,
    read_provenance,
    write_picture,
)

PICTURE = np.arange(28 * 28, dtype=np.uint32).astype(np.uint8).reshape(28, 28, 1)
NASTY = [
    "]]>",
    "<a b='\"'>&amp;&#0;</unfog:provenance>",
    "\x00\x01\x1f",
    "猫 🐈 ünï",
    "\ud800",
    "a\nSeed: 4",
    "",
    " ",
]

texts = st.one_of(
    st.text(max_size=60), st.sampled_from(NASTY), st.text(alphabet='<>&"\\]\x00\u2028\ufffe', max_size=20)
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), texts)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
provenances = st.builds(
    Provenance,
    model=st.text("0123456789abcdef", max_size=64),
    seed=st.integers(-(2**63), 2**63),
    index=st.integers(0, 10**6),
    label=st.none() | texts,
    prompt=st.none() | texts,
    settings=st.dictionaries(texts, values, max_size=4),
    producer=texts,
    version=st.just("1.2"),
)


def written(tmp_path, provenance, array=PICTURE):
    return write_picture(tmp_path / "a.png", array, provenance)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with(*chunks):
    return containers.insert_png(encode_png(PICTURE), list(chunks))


@given(provenance=provenances)
def test_png_carries_any_label_and_settings(tmp_path_factory, provenance):
    path = written(tmp_path_factory.mktemp("p"), provenance)
    assert read_provenance(path) == provenance
    with Image.open(path) as image:  # other programs still read it
        assert (np.asarray(image) == PICTURE[..., 0]).all()
        assert image.text["Comment"] == "AI-generated"
        assert image.text["Software"] == "unfog 1.2"
        assert json.loads(image.text["AIGC"])["AIGC"]["Label"] == "1"
        assert image.text["XML:com.adobe.xmp"].count("<unfog:provenance>") == 1


@given(provenance=provenances)
def test_json_round_trip_is_canonical(provenance):
    again = Provenance.from_json(provenance.to_json())
    assert again == provenance and again.to_json() == provenance.to_json()
    assert provenance.to_json().isascii()
    again.describe()


@given(provenance=provenances)
def test_xmp_alone_is_enough_and_is_well_formed(provenance):
    from xml.etree import ElementTree

    packet = marks.xmp_packet("unfog 1", marks.aigc_field(provenance.producer, "x"), provenance.to_json())
    text = marks.xmp_property(packet.decode(), "provenance")
    assert text is not None and Provenance.from_json(text) == provenance
    root = ElementTree.fromstring(packet.decode().lstrip("\ufeff"))
    found = {element.tag: element.text for element in root.iter()}
    assert found["{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"] == marks.SOURCE_TYPE
    assert tuple(json.loads(found["{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC"])) == marks.AIGC_FIELDS


@pytest.mark.parametrize("array", [PICTURE, PICTURE[..., 0], np.repeat(PICTURE, 3, axis=2), PICTURE[:1, :1]])
def test_same_input_same_bytes(tmp_path, array):
    entry = Provenance(model="ab", seed=3, settings={"b": 1, "a": (1, 2)})
    shuffled = replace(entry, settings={"a": [1, 2], "b": 1})
    assert (
        encode_png(array, entry)
        == encode_png(array.copy(), shuffled)
        == written(tmp_path, entry, array).read_bytes()
    )
    assert encode_png(array, entry) != encode_png(array, replace(entry, index=1))


def test_number_of_the_content_differs_for_every_picture(tmp_path):
    entry = Provenance(seed=1)
    number = read_marks(written(tmp_path, entry))["aigc"]["ProduceID"]
    assert read_marks(written(tmp_path, replace(entry, index=1)))["aigc"]["ProduceID"] != number
    assert read_marks(written(tmp_path, entry, 255 - PICTURE))["aigc"]["ProduceID"] != number


def test_no_absolute_path_gets_in(tmp_path):
    entry = Provenance(
        settings={
            "like": "/srv/someone/secret/cat.png",
            "mask": Path("/srv/someone/secret/m.png"),
            "deep": {"list": ["C:\\Users\\someone\\x.png", "~/secret/y.png", "file:///secret/z.png"]},
            "fraction": "1/2",
        }
    )
    data = written(tmp_path, entry).read_bytes()
    assert b"secret" not in data and b"someone" not in data and str(tmp_path).encode() not in data
    assert entry.settings["like"] == "cat.png" and entry.settings["mask"] == "m.png"
    assert entry.settings["deep"] == {"list": ["x.png", "y.png", "z.png"]}
    assert entry.settings["fraction"] == "1/2"


def test_settings_become_plain_values():
    entry = Provenance(
        settings={"a": np.float32(0.5), "b": np.int64(3), "c": (1,), "d": math.inf, "e": np.arange(2)}
    )
    assert entry.settings == {"a": 0.5, "b": 3, "c": [1], "d": "inf", "e": [0, 1]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"settings": {"f": object()}},
        {"settings": {"f": b"bytes"}},
        {"seed": 1.5},
        {"seed": True},
        {"seed": 2**65},
        {"label": 3},
        {"ai_generated": False},
        {"prompt": "x" * MAX_JSON},
    ],
)
def test_what_cannot_be_carried_is_refused(wrong):
    with pytest.raises(OutputError):
        Provenance(**wrong)


@pytest.mark.parametrize(
    "array",
    [PICTURE.astype(float), PICTURE[None], np.zeros((2, 2, 5), np.uint8), np.zeros((0, 2, 1), np.uint8)],
)
def test_what_is_no_picture_is_refused(tmp_path, array):
    with pytest.raises(OutputError, match="uint8"):
        write_picture(tmp_path / "a.png", array, Provenance())
    assert not list(tmp_path.iterdir())


def test_line_for_people():
    line = Provenance(
        prompt="a cat", seed=4, model="abcdef0123456789", settings={"steps": 20}, version="1"
    ).describe()
    assert line == "a cat\nSeed: 4, Index: 0, Steps: 20, PictureModel hash: abcdef0123, Version: unfog 1"
    assert Provenance(label="3").describe().startswith("label 3\n")


def test_foreign_pictures_are_not_ours(tmp_path):
    info = PngInfo()
    info.add_text(
        "parameters", "a cat\nSteps: 20, Sampler: Euler a, Seed: 1, PictureModel hash: abc, Version: v1.6.0"
    )
    path = tmp_path / "foreign.png"
    Image.fromarray(PICTURE[..., 0]).save(path, pnginfo=info)
    assert read_provenance(path) is None
    assert "Euler" in read_marks(path)["parameters"]
    for suffix in ("jpg", "webp", "gif", "bmp"):
        Image.fromarray(PICTURE[..., 0]).save(tmp_path / f"x.{suffix}")
        assert read_provenance(tmp_path / f"x.{suffix}") is None
    for content in (b"", b"text", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBP", b"GIF89a"):
        (tmp_path / "x").write_bytes(content)
        assert read_provenance(tmp_path / "x") is None


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.png", tmp_path, tmp_path / "a\x00b"):
        with pytest.raises(DataError):
            read_provenance(path)


GOOD = json.loads(Provenance(version="1").to_json())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ('{"a":' * 20_000, "not valid JSON"),
        ("[]", "not a JSON object"),
        ("NaN", "not valid JSON"),
        ("{}", "missing"),
        (json.dumps({**GOOD, "format": 2}), "newer unfog"),
        (json.dumps({**GOOD, "format": "1"}), "format"),
        (json.dumps({**GOOD, "format": True}), "format"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "seed"}), "'seed'"),
        (json.dumps({**GOOD, "extra": 1}), "'extra'"),
        (json.dumps({**GOOD, "seed": "1"}), "seed"),
        (json.dumps({**GOOD, "seed": 10**400}), "seed"),
        (json.dumps({**GOOD, "settings": [1]}), "settings"),
        (json.dumps({**GOOD, "ai_generated": False}), "ai_generated"),
        (json.dumps({**GOOD, "settings": {"a": 1e999}}).replace("Infinity", "1e999"), None),
        ('{"seed":' + "9" * 5000 + "}", "not valid JSON"),
        ("x" * (MAX_JSON + 1), "too long"),
    ],
)
def test_damaged_marks_give_a_clear_error(tmp_path, text, words):
    path = tmp_path / "bad.png"
    path.write_bytes(png_with((b"tEXt", b"unfog\x00" + text.encode())))
    if words is None:
        assert read_provenance(path).settings == {"a": "inf"}
        return
    with pytest.raises(DataError, match=words) as caught:
        read_provenance(path)
    assert len(str(caught.value)) < 500 and str(path) in str(caught.value)


def test_settings_nested_too_deeply_are_damage(tmp_path):
    deep = json.dumps({**GOOD, "settings": {"a": 0}}).replace('{"a": 0}', '{"a":' * 50 + "0" + "}" * 50)
    (tmp_path / "bad.png").write_bytes(png_with((b"tEXt", b"unfog\x00" + deep.encode())))
    with pytest.raises(DataError, match="settings"):
        read_provenance(tmp_path / "bad.png")


def test_marks_survive_when_only_xmp_does(tmp_path):
    entry = Provenance(prompt="<猫> & ]]>", settings={"x": "</unfog:provenance>"})
    with Image.open(written(tmp_path, entry)) as image:
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", image.text["XML:com.adobe.xmp"])
        image.save(tmp_path / "kept.png", pnginfo=info)
    assert read_provenance(tmp_path / "kept.png") == entry
    assert read_marks(tmp_path / "kept.png")["aigc"]["ContentProducer"] == "unfog"


def test_truncated_file_still_tells(tmp_path):
    path = written(tmp_path, Provenance(seed=9))
    path.write_bytes(path.read_bytes()[:-300])
    found = read_provenance(path)
    assert found is not None and found.seed == 9
