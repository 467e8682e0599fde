import re

import numpy as np
import pytest

from unfog.data.world import COLOURS, KINDS, OPPOSITE, Scene, Thing, kind, random_scene
from unfog.data.world_words import captions, prompts, tell, with_article

SMALL = Scene(Thing("circle", "red", "small"), ground="white")
PAIR = Scene(Thing("circle", "red", "small"), Thing("square", "blue"), "left")

# An independent reading of the words: which scene does a caption tell?
EN_THING = r"(?:(small|large) )?(\w+) (circle|square|triangle|star|cross|ring|diamond|heart)(?:e?s)?"
EN_PLACES = {
    "to the left of": "left",
    "left of": "left",
    "to the right of": "right",
    "right of": "right",
    "above": "above",
    "over": "above",
    "below": "below",
    "under": "below",
}
EN_BESIDE = {"to its right": "left", "to its left": "right", "below it": "above", "above it": "below"}
ZH_COLOURS = dict(zip("红橙黄绿青蓝紫粉棕", COLOURS, strict=True))
ZH_SHAPES = {
    "圆环": "ring",
    "圆": "circle",
    "方块": "square",
    "三角形": "triangle",
    "星星": "star",
    "十字": "cross",
    "菱形": "diamond",
    "爱心": "heart",
}
ZH_THING = rf"(?:([一两三四])[个颗])?([红橙黄绿青蓝紫粉棕])色的([大小])?({'|'.join(ZH_SHAPES)})"
ZH_PLACES = {"左": "left", "右": "right", "上": "above", "下": "below"}
ZH_GROUNDS = {"白": "white", "灰": "grey", "黑": "black"}


def read_english(text):
    ground = re.search(r" on a (white|grey|black) background$", text)
    things = [Thing(shape, colour, size) for size, colour, shape in re.findall(EN_THING, text)]
    number = re.match(r"(?:there are )?(two|three|four|2|3|4) ", text)
    count = {"2": 2, "3": 3, "4": 4, "two": 2, "three": 3, "four": 4}[number[1]] if number else 1
    end = ground[1] if ground else ""
    if len(things) == 1:
        assert bool(re.search(r"(circle|square|triangle|star|crosse|ring|diamond|heart)s\b", text)) == (
            count > 1
        )
        return Scene(things[0], count=count, ground=end)
    beside = next((name for words, name in EN_BESIDE.items() if words in text), None)
    place = beside or next(name for words, name in EN_PLACES.items() if f" {words} a" in text)
    return Scene(things[0], things[1], place, ground=end)


def read_chinese(text):
    ground = re.search("([白灰黑])色背景", text)
    end = ZH_GROUNDS[ground[1]] if ground else ""
    found = re.findall(ZH_THING, text)
    things = [
        Thing(ZH_SHAPES[s], ZH_COLOURS[c], {"大": "large", "小": "small", "": ""}[z]) for _, c, z, s in found
    ]
    if len(things) == 1:
        return Scene(things[0], count={"一": 1, "两": 2, "三": 3, "四": 4}[found[0][0]], ground=end)
    place = ZH_PLACES[re.search("([左右上下])[边侧方面]", text)[1]]
    # A在B左边: the first stands left; A左边有B: the second does
    if re.search("在.*[边侧方面]$", text):
        return Scene(things[0], things[1], place, ground=end)
    return Scene(things[0], things[1], OPPOSITE[place], ground=end)


@pytest.mark.parametrize(("language", "reading"), [("en", read_english), ("zh", read_chinese)])
def test_every_wording_tells_its_scene_and_no_more(language, reading):
    for seed in range(400):
        rng = np.random.default_rng([4, seed])
        scene = random_scene(rng).without(size=seed % 2 == 0, ground=seed % 4 < 2)
        wordings = tell(scene, language)
        assert len(set(wordings)) == len(wordings) >= 3
        for text in wordings:
            assert reading(text) in (scene, scene.turned()), text


def test_words_as_people_write_them():
    assert tell(SMALL, "en")[0] == "a small red circle on a white background"
    assert tell(SMALL, "zh")[:2] == ("白色背景上的一个红色的小圆", "白色背景上有一个红色的小圆")
    three = Scene(Thing("star", "blue", "small"), count=3)
    assert tell(three, "zh")[0] == "三颗蓝色的小星星" and tell(three, "en")[0] == "three small blue stars"
    assert tell(Scene(Thing("cross", "orange"), count=2), "en")[0] == "two orange crosses"
    assert "红色的小圆在蓝色的方块左边" in tell(PAIR, "zh")
    assert "a small red circle to the left of a blue square" in tell(PAIR, "en")
    assert "a blue square right of a small red circle" in tell(PAIR, "en")
    assert with_article("orange star") == "an orange star"


def test_articles_are_right():
    for seed in range(300):
        rng = np.random.default_rng([6, seed])
        for text in tell(random_scene(rng).without(size=True), "en"):
            assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", text), text


def test_a_picture_has_four_captions_in_each_language():
    told = captions(SMALL, np.random.default_rng(0))
    assert [each.language for each in told] == ["en"] * 4 + ["zh"] * 4
    assert len({each.text for each in told}) == 8
    assert {each.scene for each in told} == {
        SMALL.without(size=size, ground=ground) for size in (True, False) for ground in (True, False)
    }


@pytest.mark.parametrize("wanted", [*KINDS, None])
def test_prompts_say_the_same_in_both_languages(wanted):
    asked = list(prompts(3, 60, wanted))
    assert asked == list(prompts(3, 60, wanted)) and asked[:10] == list(prompts(3, 10, wanted))
    for prompt in asked:
        for scene in (read_english(prompt.english), read_chinese(prompt.chinese)):
            assert scene in (prompt.scene, prompt.scene.turned())
        assert prompt.kind == kind(prompt.scene) and prompt.kind in ({wanted} if wanted else KINDS)
    assert {sum(p.scene.form == form for p in asked) for form in ("one", "pair", "count")} == {20}
    assert len({prompt.kind for prompt in asked}) == (1 if wanted else 2)
