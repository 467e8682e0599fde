from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from unfog.data import world
from unfog.data.world import COLOURS, FORMS, GROUNDS, KINDS, RELATIONS, SHAPES, Scene, Thing, kind, why_unseen

RED, BLUE = Thing("circle", "red", "small"), Thing("square", "blue", "large")


def many(wanted, n=2_000):
    return [world.random_scene(np.random.default_rng([1, i]), wanted) for i in range(n)]


def test_colours_are_well_apart_and_stand_out_from_every_ground():
    every = {**COLOURS, **GROUNDS}
    for one, other in combinations(every, 2):
        assert np.linalg.norm(np.subtract(every[one], every[other])) > 85, (one, other)


def test_a_scene_told_from_the_other_thing_is_the_same_scene():
    scene = Scene(RED, BLUE, "left", ground="white")
    assert scene.turned() == Scene(BLUE, RED, "right", ground="white")
    assert scene.turned().turned() == scene and scene.form == "pair"
    for made in many("seen", 200) + many("unseen", 200):
        assert kind(made.turned()) == kind(made)


def test_what_is_left_open():
    scene = Scene(RED, BLUE, "above", ground="black").without(size=True, ground=True)
    assert scene == Scene(Thing("circle", "red"), Thing("square", "blue"), "above")
    assert Scene(RED, count=3).things == (RED, RED, RED) and Scene(RED, count=3).form == "count"


def test_every_shape_has_one_colour_that_is_never_seen():
    for shape in SHAPES:
        unseen = [colour for colour in COLOURS if kind(Scene(Thing(shape, colour))) == "unseen"]
        assert len(unseen) == 1, shape
    assert len({colour for colour, _ in world.UNSEEN_THINGS}) == len(SHAPES)


def test_a_tenth_of_the_relations_is_never_seen():
    things = [Thing(shape, colour) for shape in SHAPES for colour in COLOURS]
    told = [
        why_unseen(Scene(one, other, relation))
        for one, other in combinations(things, 2)
        for relation in RELATIONS
    ]
    shares = Counter(told)
    assert abs(shares["relation"] / (shares["relation"] + shares[""]) - 0.1) < 0.015


@pytest.mark.parametrize("wanted", KINDS)
def test_random_scenes_are_of_the_kind_and_of_all_forms(wanted):
    scenes = many(wanted)
    assert {kind(scene) for scene in scenes} == {wanted}
    shares = Counter(scene.form for scene in scenes)
    for form, share in FORMS.items():  # four standard errors of 2,000 draws
        assert abs(shares[form] / 2_000 - share) < 4 * np.sqrt(share * (1 - share) / 2_000)
    for scene in scenes:
        assert all(thing.size for thing in scene.things) and scene.ground
        assert 1 <= len(scene.things) <= 4
        if scene.second:
            assert (scene.first.shape, scene.first.colour) != (scene.second.shape, scene.second.colour)
