import numpy as np
import pytest

from unfog.data.store import open_pictures
from unfog.data.toy import SHAPES, GaussianMixture, two_moons, write_shapes


def test_shapes_are_a_folder_with_classes_and_captions(tmp_path, cache):
    store = open_pictures(write_shapes(tmp_path / "shapes", 12, 32, captions=True))
    assert store.classes == tuple(sorted(SHAPES)) and store.counts() == dict.fromkeys(sorted(SHAPES), 4)
    assert store.images.shape == (12, 32, 32, 3)
    assert all(
        name in captions[0]
        for name, captions in zip([store.classes[i] for i in store.labels], store.captions, strict=True)
    )


def test_the_same_seed_gives_the_same_shapes(tmp_path):
    a, b = (write_shapes(tmp_path / name, 6) for name in "ab")
    for path in sorted(a.rglob("*.png")):
        assert path.read_bytes() == (b / path.relative_to(a)).read_bytes()


def test_two_moons_lie_on_their_curves():
    points, moon = two_moons(200, noise=0.0)
    assert np.allclose(np.hypot(*points[moon == 0].T), 1)
    assert np.allclose(np.hypot(*(points[moon == 1] - [1, 0.5]).T), 1)


@pytest.fixture
def mixture():
    return GaussianMixture(np.array([[-1.0, 0.5], [2.0, 0.0]]), np.array([0.3, 0.6]), np.array([0.25, 0.75]))


def test_the_density_integrates_to_one(mixture):
    axis = np.linspace(-6, 7, 500)
    x = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    assert np.exp(mixture.log_density(x)).sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1, abs=1e-6)


def test_the_score_is_the_gradient(mixture):
    x, step = np.random.default_rng(0).normal(0, 2, (50, 2)), 1e-5
    for axis in range(2):
        move = np.eye(2)[axis] * step
        slope = (mixture.log_density(x + move) - mixture.log_density(x - move)) / (2 * step)
        assert np.allclose(mixture.score(x)[:, axis], slope, atol=1e-5, rtol=1e-5)


def test_samples_and_their_noised_form(mixture):
    noised = mixture.noised(0.6, 0.8)
    x, blob = mixture.sample(20_000)
    assert blob.mean() == pytest.approx(0.75, abs=0.01)
    made = 0.6 * x + 0.8 * np.random.default_rng(1).standard_normal(x.shape)
    expected = noised.weights @ noised.means
    assert np.allclose(made.mean(0), expected, atol=0.03)
    assert len(GaussianMixture.ring(5).means) == 5
