"""Telling scenes of the procedural world in English and Chinese, by rules of grammar.

English needs articles (a, an) and plurals; Chinese needs measure words: 一个红色的圆, 三颗蓝色的小星星. What
a scene leaves open (its sizes, its ground) is not told, so a caption is true of every picture that the scene
allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unfog.data.world import COLOURS, FORMS, KINDS, Scene, Thing, kind, random_scene

LANGUAGES = ("en", "zh")

_PLURAL = {"cross": "crosses"}
_NUMBERS = {2: "two", 3: "three", 4: "four"}
_PLACES = {
    "left": ("left of", "to the left of"),
    "right": ("right of", "to the right of"),
    "above": ("above", "over"),
    "below": ("below", "under"),
}
_BESIDE = {"left": "to its right", "right": "to its left", "above": "below it", "below": "above it"}
"""Where the second thing is, when it is told after the first."""

_HAN_SHAPES = {
    "circle": ("个", "圆"),
    "square": ("个", "方块"),
    "triangle": ("个", "三角形"),
    "star": ("颗", "星星"),
    "cross": ("个", "十字"),
    "ring": ("个", "圆环"),
    "diamond": ("个", "菱形"),
    "heart": ("颗", "爱心"),
}
"""Measure word and name of each shape."""

_HAN_COLOURS = dict(
    zip(COLOURS, ("红色", "橙色", "黄色", "绿色", "青色", "蓝色", "紫色", "粉色", "棕色"), strict=True)
)
_HAN_GROUNDS = {"white": "白色", "grey": "灰色", "black": "黑色"}
_HAN_SIZES = {"small": "小", "large": "大", "": ""}
_HAN_NUMBERS = {1: "一", 2: "两", 3: "三", 4: "四"}
_HAN_PLACES = {
    "left": ("左边", "左侧"),
    "right": ("右边", "右侧"),
    "above": ("上方", "上面"),
    "below": ("下方", "下面"),
}


@dataclass(frozen=True)
class Told:
    """One caption.

    Attributes:
        text: the caption.
        language: one of ``LANGUAGES``.
        scene: what it says and no more: what it does not mention is left open.
    """

    text: str
    language: str
    scene: Scene


def tell(scene: Scene, language: str) -> tuple[str, ...]:
    """All captions of a scene in one language, each of which says all that the scene settles.

    Args:
        scene: what to tell; sizes and ground may be left open.
        language: one of ``LANGUAGES``.
    """
    return tuple(dict.fromkeys(_english(scene) if language == "en" else _chinese(scene)))


def captions(scene: Scene, rng: np.random.Generator) -> tuple[Told, ...]:
    """Four captions in each language for one picture: with and without sizes, with and without the ground.

    Args:
        scene: what the picture shows, with everything settled.
        rng: which of several wordings.
    """
    found: list[Told] = []
    for language in LANGUAGES:
        for size, ground in ((True, True), (True, False), (False, True), (False, False)):
            asked = scene.without(size=size, ground=ground)
            wordings = tell(asked, language)
            found.append(Told(wordings[int(rng.integers(len(wordings)))], language, asked))
    return tuple(found)


@dataclass(frozen=True)
class Prompt:
    """Something to ask a model for.

    Attributes:
        english: in English.
        chinese: the same in Chinese.
        scene: what is asked, to judge pictures by; what the words leave open is open.
        kind: 'seen' or 'unseen' in training, one of ``KINDS``.
    """

    english: str
    chinese: str
    scene: Scene
    kind: str


def prompts(seed: int, n: int, wanted: str | None = None) -> Iterator[Prompt]:
    """Prompts to measure a model by: a third each of one thing, two with a relation, and several.

    Args:
        seed: the same seed gives the same prompts.
        n: how many.
        wanted: one of ``KINDS``; both in turn when None.
    """
    for index in range(n):
        rng = np.random.default_rng([seed, index])
        which = wanted or KINDS[index // len(FORMS) % 2]
        scene = random_scene(rng, which, list(FORMS)[index % len(FORMS)])
        asked = scene.without(size=rng.random() < 0.5, ground=rng.random() < 0.5)
        texts = [tell(asked, language) for language in LANGUAGES]
        english, chinese = (own[int(rng.integers(len(own)))] for own in texts)
        yield Prompt(english, chinese, asked, kind(scene))


def _english(scene: Scene) -> list[str]:
    """Wordings in English, without a full stop, as captions are written."""
    behind = f" on a {scene.ground} background" if scene.ground else ""
    if scene.second:
        return [text + behind for text in _english_pair(scene, scene.second)]
    if scene.count > 1:
        number, name = _NUMBERS[scene.count], _english_thing(scene.first, several=True)
        heads = (f"{number} {name}", f"{scene.count} {name}", f"there are {number} {name}")
    else:
        name = _english_thing(scene.first)
        heads = (with_article(name), f"there is {with_article(name)}", f"a picture of {with_article(name)}")
    return [head + behind for head in heads]


def _english_pair(scene: Scene, second: Thing) -> list[str]:
    names = [with_article(_english_thing(thing)) for thing in (scene.first, second)]
    turned = scene.turned()
    return [
        *(f"{names[0]} {place} {names[1]}" for place in _PLACES[scene.relation]),
        *(f"{names[1]} {place} {names[0]}" for place in _PLACES[turned.relation]),
        f"{names[0]} with {names[1]} {_BESIDE[scene.relation]}",
    ]


def _english_thing(thing: Thing, *, several: bool = False) -> str:
    name = _PLURAL.get(thing.shape, f"{thing.shape}s") if several else thing.shape
    return " ".join(word for word in (thing.size, thing.colour, name) if word)


def with_article(name: str) -> str:
    """'an orange star', 'a red star'."""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _chinese(scene: Scene) -> list[str]:
    """Wordings in Chinese, without a full stop."""
    ground = _HAN_GROUNDS.get(scene.ground, "")
    if scene.second:
        heads = _chinese_pair(scene, scene.second)
        return [f"{ground}背景上，{head}" for head in heads] if ground else heads
    name = _counted(scene.first, scene.count)
    if ground:
        return [f"{ground}背景上的{name}", f"{ground}背景上有{name}", f"{name}，{ground}背景"]
    return [name, f"图中有{name}", f"画面上是{name}"]


def _chinese_pair(scene: Scene, second: Thing) -> list[str]:
    plain = [_chinese_thing(thing) for thing in (scene.first, second)]
    counted = [_counted(thing, 1) for thing in (scene.first, second)]
    here, there = _HAN_PLACES[scene.relation], _HAN_PLACES[scene.turned().relation]
    return [
        *(f"{plain[0]}在{plain[1]}{place}" for place in here),
        *(f"{plain[1]}在{plain[0]}{place}" for place in there),
        f"{plain[1]}{here[0]}有{counted[0]}",
        f"{plain[0]}{there[0]}有{counted[1]}",
    ]


def _chinese_thing(thing: Thing) -> str:
    """红色的小圆."""
    return f"{_HAN_COLOURS[thing.colour]}的{_HAN_SIZES[thing.size]}{_HAN_SHAPES[thing.shape][1]}"


def _counted(thing: Thing, count: int) -> str:
    """三颗蓝色的小星星."""
    return f"{_HAN_NUMBERS[count]}{_HAN_SHAPES[thing.shape][0]}{_chinese_thing(thing)}"
