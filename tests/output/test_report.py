import re
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unfog.errors import OutputError
from unfog.output.film import encode_film
from unfog.output.provenance import Provenance
from unfog.output.report import (
    Backward,
    Data,
    Forward,
    Losses,
    Metric,
    Neighbours,
    Report,
    Setup,
    render_report,
    write_report,
)

RNG = np.random.default_rng(0)
SECTIONS = ["setup", "data", "forward", "backward", "samples", "curves", "metrics", "neighbours", "made"]


def noise(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


@cache
def film(size, channels):
    return encode_film(".webp", noise(1, 4, size, size, channels), Provenance(seed=1))


@cache
def whole(lang="en"):
    return render_report(everything(), lang=lang)


def everything(name="cat", size=16, channels=1):
    images = noise(40, size, size, channels)
    t = np.linspace(0, 1, 8)
    entry = Provenance(model="ab" * 32, seed=1, version="1", settings={"sampler": name})
    return Report(
        title=name,
        warnings=[name, "Saturated."],
        setup=Setup(
            weights=483_210,
            network=name,
            pictures=4500,
            seconds=240,
            steps=6200,
            batch=64,
            device="2 CPU cores",
            classes=2,
            sampler="ddim",
            sampler_steps=20,
            guidance=2,
            sampling_seconds=0.01,
            settings={"train": {name: name}, "widths": [1, 2]},
        ),
        data=Data.measure(
            images,
            np.arange(40) % 2,
            [name, "b"],
            source=name,
            licence=name,
            skipped=[(name, name)] * 40,
            digest="c" * 64,
        ),
        forward=Forward(pictures=images[:8], t=t, alpha=np.cos(t), sigma=np.sin(t), schedule=name),
        backward=Backward(noisy=images[:8], clean=images[:8], t=t[::-1], film=film(size, channels)),
        samples=images,
        sample_labels=np.arange(40) % 2,
        losses=Losses(train=(range(50), 1 / np.arange(1, 51)), validation=([10, 20], [0.2, 0.1])),
        metrics=[
            Metric(name="frechet", value=4.7, low=4.4, high=5.0, floor=1.3, count=1000, space=name),
            Metric(name=name, value=1, meaning=name),
            Metric(name="agreement", value=0.97),
        ],
        neighbours=Neighbours(
            samples=images[:5], nearest=images[5:10], distances=[1.0] * 5, share=0.01, count=40, rule=name
        ),
        provenance=entry,
        made_by={name: name},
        command=f"unfog demo {name}",
    )


class Page(HTMLParser):
    """All that a browser would look at: elements, addresses, words."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.addresses, self.ids, self.text, self.open = [], [], [], "", []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [
            value for key, value in attrs if key in {"src", "href", "srcset", "action", "data"}
        ]
        self.ids += [value for key, value in attrs if key == "id" and tag == "section"]
        assert not any(key.startswith("on") for key, _ in attrs)
        if tag not in {"meta", "link", "img", "br", "path", "circle"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_whole_page_in_order_and_self_contained(tmp_path, lang):
    path = write_report(tmp_path / "report.html", everything(), lang=lang)
    html = path.read_text("utf-8")
    page = Page(html)
    assert not page.open
    assert page.ids == SECTIONS
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert not {"script", "iframe", "object", "embed", "form"} & set(page.tags)
    assert not re.search(r"url\((?!#)|@import|https?://", html)
    assert "default-src 'none'" in html
    assert path.stat().st_size < 5_000_000
    assert f'<html lang="{"en" if lang == "en" else "zh-CN"}">' in html
    for link in (address for address in page.addresses if address.startswith("#")):
        assert link[1:] in page.ids


def test_settings_are_told_in_words():
    text = Page(whole()).text
    assert (
        "A network of 0.48 million weights (cat) learned from 4,500 pictures for 4 minutes on 2 CPU cores."
        in text
    )
    assert "It took 6,200 steps of 64 pictures; each picture was seen about 88 times." in text
    assert "drawn with ddim in 20 steps, with guidance 2, 10 ms per picture." in text
    chinese = Page(whole("zh")).text
    assert (
        "一个有 48.3 万个参数的网络（cat），从 4,500 张图片中学习，用时 4 分钟，运行在 2 CPU cores 上。"
        in chinese
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_title_alone_is_enough(lang):
    page = Page(render_report(Report(title="Only this"), lang=lang))
    assert page.ids == [] and "Only this" in page.text
    assert not page.open and "img" not in page.tags


@pytest.mark.parametrize(
    ("part", "sections"),
    [
        ({"setup": Setup()}, []),
        ({"setup": Setup(settings={"a": 1})}, ["setup"]),
        ({"setup": Setup(steps=5, batch=2)}, ["setup"]),
        ({"setup": Setup(weights=5)}, ["setup"]),
        ({"data": Data()}, []),
        ({"data": Data(source="x")}, ["data"]),
        ({"data": Data(classes=["a", "b"], class_counts=[1])}, ["data"]),
        ({"forward": Forward(pictures=noise(2, 8, 8, 1))}, ["forward"]),
        ({"backward": Backward(noisy=noise(2, 8, 8, 1))}, ["backward"]),
        ({"samples": noise(3, 8, 8, 3)}, ["data", "samples"]),
        ({"samples": noise(0, 8, 8, 3)}, []),
        ({"losses": Losses()}, []),
        ({"metrics": [Metric(name="x", value=1)]}, ["metrics"]),
        ({"neighbours": Neighbours(samples=noise(2, 8, 8, 1), nearest=noise(2, 8, 8, 1))}, ["neighbours"]),
        ({"command": "unfog demo"}, ["made"]),
        ({"provenance": Provenance()}, ["made"]),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_part_stands_alone(part, sections, lang):
    page = Page(render_report(Report(title="x", **part), lang=lang))
    assert page.ids == sections and not page.open


@given(
    name=st.text(max_size=30)
    | st.sampled_from(
        ["<script>alert(1)</script>", '"><img src=x onerror=y>', "{{ 7*7 }}", "\ud800\x00", "]]>"]
    )
)
@settings(max_examples=6)
def test_names_from_the_data_are_only_text(name):
    html = render_report(everything(name, size=4))
    page = Page(html.encode("utf-8").decode("utf-8"))
    assert page.ids == SECTIONS and not page.open
    assert not {"script", "iframe"} & set(page.tags)
    assert all(address.startswith(("data:", "#")) for address in page.addresses)


def test_untrusted_words_are_shown_as_they_are():
    text = Page(render_report(everything("<b>{{ 7*7 }}</b>"))).text
    assert "<b>{{ 7*7 }}</b>" in text


@pytest.mark.parametrize(("size", "channels"), [(64, 3), (256, 3)])
def test_pages_of_large_colour_noise_stay_small(size, channels):
    assert len(render_report(everything(size=size, channels=channels))) < 5_000_000


def test_metrics_in_words():
    html = Page(whole()).text
    assert "Fréchet distance" in html and "4.4 – 5" in html and "Lower is better." in html
    assert "97 %" in html
    assert "1 % of 40 samples count as copies" in html


def test_long_lists_are_cut():
    text = Page(whole()).text
    assert "40 inputs were left out" in text and "and 10 more" in text
    many = Report(title="x", data=Data(classes=[f"c{n}" for n in range(500)]))
    assert "and 470 more" in Page(render_report(many)).text


def test_unknown_language_and_wrong_arrays(tmp_path):
    with pytest.raises(OutputError, match="--lang"):
        write_report(tmp_path / "x.html", Report(title="x"), lang="fr")
    with pytest.raises(OutputError, match="uint8"):
        write_report(tmp_path / "x.html", Report(title="x", samples=np.zeros((2, 4, 4, 1))))
    assert not list(tmp_path.iterdir())


def test_same_report_same_page():
    report = everything()
    assert render_report(report) == render_report(report)
