import numpy as np
import pytest

from unfog.data.ground import Ground
from unfog.errors import DataError


def test_a_colour_may_be_written_in_many_ways():
    assert Ground.of("white") == Ground.of(255) == Ground.of("255") == Ground.of("#FFFFFF") == Ground()
    assert Ground.of("skyblue").under("any") == (135, 206, 235) and Ground.of(0).colour == (0, 0, 0)


def test_random_is_the_same_for_a_name_and_spread_over_names():
    ground = Ground.of("random")
    assert ground.under("a.png") == ground.under("a.png") != ground.under("b.png")
    drawn = np.array([ground.under(f"{index}.png") for index in range(3000)])
    # uniform on 0..255: mean 127.5, standard deviation 73.9; four standard errors of 3,000 draws
    assert np.allclose(drawn.mean(0), 127.5, atol=5.4) and np.allclose(drawn.std(0), 73.9, atol=3)


@pytest.mark.parametrize("given", ["invisible", "#12", "", 256, -1])
def test_what_is_no_ground(given):
    with pytest.raises(DataError, match="ground"):
        Ground.of(given)
