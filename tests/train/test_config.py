"""Training settings refuse what cannot work."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from unfog.config import parse
from unfog.errors import ConfigError
from unfog.train import WEIGHTS, TrainConfig


def test_defaults_are_usable_and_fixed() -> None:
    config = TrainConfig()
    assert config.steps is None and config.minutes is None
    with pytest.raises(ValueError, match="frozen"):
        config.batch = 3


@pytest.mark.parametrize(
    "values",
    [
        {"steps": 0},
        {"minutes": 0},
        {"batch": 0},
        {"batch": 2.5},
        {"learning_rate": -1e-3},
        {"warmup": -1},
        {"decay": 0},
        {"decay": 1.5},
        {"momentum": 1.0},
        {"second_momentum": -0.1},
        {"clip": 0},
        {"noise_std": 0},
        {"label_dropout": 1.0},
        {"weight": "snr"},
        {"gamma": -1},
        {"optimiser": "sgd"},
        {"precision": "fp8"},
        {"checkpoint_minutes": 0},
        {"trackers": 3},
    ],
)
def test_values_out_of_range_are_named(values: dict[str, Any]) -> None:
    (name,) = values
    with pytest.raises(ConfigError, match=f"^here: {name} = .*not usable"):
        parse(TrainConfig, values, "here")


def test_an_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="'learning_rate'"):
        parse(TrainConfig, {"learnig_rate": 1.0}, "here")


def test_every_weight_of_the_table_can_be_chosen() -> None:
    assert set(get_args(TrainConfig.model_fields["weight"].annotation)) == set(WEIGHTS)


def test_a_gamma_without_a_weight_that_has_one_is_an_error() -> None:
    assert parse(TrainConfig, {"weight": "p2", "gamma": 0.5}, "here").gamma == 0.5
    with pytest.raises(ConfigError, match=r"train.gamma = 5: the weight 'v' has none.*min-snr, p2"):
        parse(TrainConfig, {"gamma": 5}, "here")
