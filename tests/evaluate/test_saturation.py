import numpy as np
import pytest

from unfog.evaluate.saturation import saturation, value_range


def test_range_and_shares_of_its_ends():
    images = np.full((4, 2, 2, 1), 100, np.uint8)
    images[0, 0, 0], images[1, 0, 0] = 10, 200
    assert value_range(images) == (10, 200)
    found = saturation(images, 10, 200)
    assert found["dark"].value == found["bright"].value == pytest.approx(1 / 16)
    assert found["dark"].n == 4


def test_values_beyond_the_data_count_too():
    samples = np.array([0, 5, 250, 255], np.uint8).reshape(1, 2, 2, 1)
    found = saturation(samples, 5, 200)
    assert found["dark"].value == found["bright"].value == 0.5


def test_no_pictures_say_why():
    assert saturation(np.zeros((0, 2, 2, 1), np.uint8), 0, 255)["dark"].why
