import numpy as np
import pytest
from sklearn.datasets import load_digits


@pytest.fixture(scope="session")
def digits8():
    """1,797 real 8 x 8 digits of scikit-learn, uint8 (N, 8, 8, 1), and their labels."""
    images, labels = load_digits(return_X_y=True)
    pictures = (images.reshape(-1, 8, 8, 1) * 255 / 16).round().astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(pictures))
    return pictures[order], labels[order].astype(np.int64)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def quick():
    """Shorten the training of classifiers for the whole folder; yields the usual length."""
    from unfog.evaluate import classifier

    patch, usual = pytest.MonkeyPatch(), classifier.LEAST_SEEN
    patch.setattr(classifier, "LEAST_SEEN", 9_000)
    yield usual
    patch.undo()
