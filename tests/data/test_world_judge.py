import numpy as np
import pytest

from unfog.data.world import KINDS, Scene, Thing, random_scene
from unfog.data.world_draw import draw
from unfog.data.world_judge import ATTRIBUTES, judge

RED, BLUE = Thing("circle", "red", "large"), Thing("square", "blue", "small")
ASKED = Scene(RED, BLUE, "left", ground="white")


def verdict(asked, shown, seed=0):
    return judge(asked, draw(shown, np.random.default_rng(seed))).right


def wrong(asked, shown):
    return {name for name, right in verdict(asked, shown).items() if not right}


def test_the_scene_itself_is_right_in_everything():
    for index in range(60):
        rng = np.random.default_rng([8, index])
        scene = random_scene(rng, KINDS[index % 2])
        picture = draw(scene, rng)
        for asked in (scene, scene.turned(), scene.without(size=True, ground=True)):
            assert all(judge(asked, picture).right.values())


@pytest.mark.parametrize(
    ("shown", "names"),
    [
        (Scene(RED, BLUE, "right", ground="white"), {"relation"}),
        (Scene(RED, BLUE, "left", ground="black"), {"ground"}),
        (Scene(RED, Thing("square", "blue", "large"), "left", ground="white"), {"size"}),
        (Scene(RED, Thing("square", "green", "small"), "left", ground="white"), {"colour", "binding"}),
        (Scene(RED, Thing("star", "blue", "small"), "left", ground="white"), {"shape", "binding"}),
        # each colour on the wrong shape, and so nobody can say which is which
        (
            Scene(Thing("square", "red", "small"), Thing("circle", "blue", "large"), "left", ground="white"),
            {"binding", "relation"},
        ),
        (Scene(RED, ground="white"), {"count", "shape", "colour", "binding", "size", "relation"}),
    ],
)
def test_what_is_wrong_is_named(shown, names):
    assert wrong(ASKED, shown) == {*names, "all"}


def test_only_what_was_asked_is_judged():
    asked = Scene(Thing("star", "green"), count=3)
    right = verdict(asked, Scene(Thing("star", "green", "large"), count=3, ground="black"))
    assert set(right) == {"count", "shape", "colour", "binding", "all"} and all(right.values())
    assert set(verdict(ASKED, ASKED)) == set(ATTRIBUTES)
    assert wrong(asked, Scene(Thing("star", "green", "small"), count=4)) >= {"count", "all"}


def test_the_reading_is_handed_over():
    judgement = judge(ASKED, draw(ASKED, np.random.default_rng(1)))
    assert judgement.reading.scene in (ASKED, ASKED.turned())


def test_an_empty_picture_is_wrong_in_all_that_was_asked():
    right = judge(Scene(RED, ground="white"), np.full((32, 32, 3), 255, np.uint8)).right
    assert {name for name, value in right.items() if value} == {"ground"}
