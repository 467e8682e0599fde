import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from unfog.data.world import COLOURS, KINDS, SHAPES, Scene, Thing, random_scene
from unfog.data.world_draw import draw
from unfog.data.world_read import UNKNOWN, read
from unfog.errors import DataError


def blurred(picture, rng):
    soft = ndimage.gaussian_filter(picture.astype(float), (0.5, 0.5, 0))
    return np.clip(np.rint(soft), 0, 255).astype(np.uint8)


def noisy(picture, rng):
    return np.clip(np.rint(picture + rng.normal(0, 0.05 * 255, picture.shape)), 0, 255).astype(np.uint8)


def compressed(picture, rng):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90)
    return np.asarray(Image.open(file))


def plain(picture, rng):
    return picture


WAYS = {  # least share of pictures in which everything is read right
    "plain": (plain, 1.0),
    "blurred": (blurred, 0.995),
    "noisy": (noisy, 0.995),
    "both": (lambda picture, rng: noisy(blurred(picture, rng), rng), 0.995),
    "compressed": (compressed, 0.95),  # with half of the colour's resolution, as JPEG has it
}


def share_read(change, side, count, seed=11):
    right = 0
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        scene = random_scene(rng, KINDS[index % 2])
        right += read(change(draw(scene, rng, side), rng)).scene in (scene, scene.turned())
    return right / count


@pytest.mark.parametrize("way", WAYS)
def test_what_was_drawn_is_read(way):
    change, least = WAYS[way]
    assert share_read(change, 32, 200) >= least


@pytest.mark.parametrize("side", [24, 64])
def test_at_other_sizes(side):
    assert share_read(plain, side, 100) == 1


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_two_thousand_scenes(way):
    change, least = WAYS[way]
    assert share_read(change, 32, 2_000, seed=12) >= least


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_in_every_colour_on_every_ground(shape):
    for colour in COLOURS:
        for ground in ("white", "grey", "black"):
            scene = Scene(Thing(shape, colour, "small"), ground=ground)
            reading = read(noisy(draw(scene, np.random.default_rng(5)), np.random.default_rng(6)))
            assert reading.scene == scene, (colour, ground)


def test_an_empty_picture_has_nothing_in_it():
    for grey in (255, 130, 0):
        reading = read(np.full((32, 32, 3), grey, np.uint8))
        assert reading.found == () and reading.scene is None


def test_a_strange_ground_is_doubted():
    assert "the ground is" in read(np.full((32, 32, 3), (90, 140, 250), np.uint8)).unsure[0]


def test_blobs_and_strange_colours_are_none_of_ours():
    picture = np.full((32, 32, 3), 245, np.uint8)
    picture[8:12, 6:26], picture[8:26, 6:9] = COLOURS["red"], COLOURS["red"]  # an L
    reading = read(picture)
    assert reading.found[0].thing.shape == UNKNOWN and reading.scene is None and reading.unsure
    picture = np.full((32, 32, 3), 245, np.uint8)
    picture[10:20, 10:20] = (150, 255, 0)  # lime
    reading = read(picture)
    assert reading.found[0].thing == Thing("square", UNKNOWN, "large") and reading.unsure


def test_more_kinds_of_things_than_the_world_has_are_still_found():
    picture = np.full((64, 64, 3), 245, np.uint8)
    for place, colour in ((6, "red"), (26, "green"), (46, "blue")):
        picture[20:32, place : place + 12] = COLOURS[colour]
    reading = read(picture)
    assert [each.thing.colour for each in reading.found] == ["red", "green", "blue"]
    assert {each.thing.shape for each in reading.found} == {"square"} and reading.scene is None


def test_a_diagonal_is_doubted():
    picture = np.full((64, 64, 3), 245, np.uint8)
    picture[8:20, 8:20], picture[40:52, 40:52] = COLOURS["red"], COLOURS["blue"]
    assert "the two things stand on a diagonal" in read(picture).unsure


@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 1), (32, 24, 3)])
def test_what_is_no_picture_of_the_world(shape):
    with pytest.raises(DataError, match="square picture in colour"):
        read(np.zeros(shape, np.uint8))
