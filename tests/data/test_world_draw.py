import math

import numpy as np
import pytest

from unfog.data.world import COLOURS, GROUNDS, RELATIONS, SHAPES, SIZES, Scene, Thing, random_scene
from unfog.data.world_draw import DISTANCES, REACH, coverage, draw
from unfog.errors import DataError

AREAS = {  # closed forms, for radius 1
    "circle": math.pi * 0.94**2,
    "square": 1.54**2,
    "triangle": 0.75 * math.sqrt(3) * 1.1**2,
    "star": 5 * 1.1 * 0.52 * math.sin(math.pi / 5),
    "cross": 2 * 1.96 * 0.66 - 0.66**2,
    "ring": math.pi * (0.99**2 - 0.49**2),
    "diamond": 2 * 0.72 * 1.1,
}


def middle_of(picture, colour):
    """Where the pixels of a colour are, found by colour alone."""
    far = np.linalg.norm(picture.astype(float) - np.asarray(colour), axis=2)
    rows, columns = np.nonzero(far < 42)
    return columns.mean(), rows.mean()


@pytest.mark.parametrize("shape", AREAS)
def test_areas_are_those_of_geometry(shape):
    for radius in (3.5, 20.0):  # soft edges keep the area, at any size
        covered = coverage(shape, 64, 31.7, 32.2, radius).sum() / radius**2
        assert covered == pytest.approx(AREAS[shape], rel=0.02 if radius > 10 else 0.06)


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_mirrored_and_keep_within_their_reach(shape):
    place = np.linspace(-2, 2, 81)
    u, v = np.meshgrid(place, place)
    distance = DISTANCES[shape](u, v)
    assert np.allclose(distance, DISTANCES[shape](-u, v))
    assert (distance[np.hypot(u, v) > REACH + 1e-9] > 0).all()
    one = coverage(shape, 32, 16, 16, 6.0)
    assert np.allclose(coverage(shape, 32, 16, 16, 6.0, tilt=2 * math.pi), one, atol=1e-9)
    assert np.allclose(coverage(shape, 32, 19, 14, 6.0)[:-2, 3:], one[2:, :-3])  # 3 right, 2 up


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("sizes", [("small", "small"), ("large", "large"), ("small", "large")])
def test_relations_hold_in_the_pixels(relation, sizes):
    scene = Scene(
        Thing("circle", "red", sizes[0]), Thing("square", "blue", sizes[1]), relation, ground="white"
    )
    right, down = RELATIONS[relation]
    for seed in range(20):
        picture = draw(scene, np.random.default_rng(seed))
        (ax, ay), (bx, by) = (middle_of(picture, COLOURS[name]) for name in ("red", "blue"))
        along, across = right * (ax - bx) + down * (ay - by), abs(down * (ax - bx)) + abs(right * (ay - by))
        assert along > 1.5 * across and along > 6


def test_pictures_of_one_scene_differ_and_a_seed_gives_one_picture():
    scene = Scene(Thing("star", "green"), count=3)
    made = [draw(scene, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert np.array_equal(made[0], made[1]) and not np.array_equal(made[0], made[2])
    assert made[0].dtype == np.uint8 and draw(scene, np.random.default_rng(0), 57).shape == (57, 57, 3)


@pytest.mark.parametrize("side", [24, 32, 64])
def test_nothing_touches_the_edge_or_another_thing(side):
    from scipy import ndimage

    for seed in range(150):
        rng = np.random.default_rng([2, seed])
        scene = random_scene(rng)
        picture = draw(scene, rng, side).astype(float)
        away = np.linalg.norm(picture - picture[0, 0], axis=2) > 40
        assert not (away[0].any() or away[-1].any() or away[:, 0].any() or away[:, -1].any())
        assert ndimage.label(away, np.ones((3, 3)))[1] == len(scene.things)


def test_sizes_do_not_meet():
    assert SIZES["small"][1] * 1.25 < SIZES["large"][0]
    assert set(GROUNDS) == {"white", "grey", "black"}


def test_too_small_a_picture_is_refused():
    with pytest.raises(DataError, match="from 24"):
        draw(Scene(Thing("circle", "red")), np.random.default_rng(0), 16)
