"""The loss of pairs: against sums by hand, who does not compete, and a prior that finds what is there."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.given import pictures, small_pairs
from unfog.condition.word_cache import open_words
from unfog.rng import Noise
from unfog.train import Batches, ContrastObjective, PairTrainConfig, Training
from unfog.train.captions import Captions, PairedCaptions
from unfog.train.contrast import as_true, contrast, seen_anew

NONE = torch.zeros(3, 3, dtype=torch.bool)


def test_a_case_by_hand() -> None:
    ours = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    theirs = torch.tensor([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    likeness = [[0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.8, 0.8, 0.6]]  # ours down, theirs across

    def nats(right: float, *all_of_them: float) -> float:
        return math.log(sum(math.exp(2 * each) for each in all_of_them)) - 2 * right

    wanted = [
        (nats(row[i], *row) + nats(likeness[i][i], *(other[i] for other in likeness))) / 2
        for i, row in enumerate(likeness)
    ]
    torch.testing.assert_close(contrast(ours, theirs, 2.0, NONE), torch.tensor(wanted))


def test_who_cannot_tell_pays_the_log_of_their_number() -> None:
    same = torch.ones(4, 1)
    none = torch.zeros(4, 4, dtype=torch.bool)
    torch.testing.assert_close(contrast(same, same, 7.0, none), torch.full((4,), math.log(4)))


def test_equal_captions_are_no_wrong_answers() -> None:
    """Two pictures of one caption compete with the third only: as if the other were not in the batch."""
    ours = torch.nn.functional.normalize(torch.randn(3, 5), dim=1)
    ours[1] = ours[0]
    theirs = torch.nn.functional.normalize(torch.randn(3, 5), dim=1)
    true = as_true(torch.tensor([7, 7, 8]), torch.tensor([[7, -1], [7, 9], [8, -1]]), torch.ones(3).bool())
    assert true.tolist() == [[True, True, False], [True, True, False], [False, False, True]]
    found = contrast(ours, theirs, 3.0, true)
    pair = [0, 2]
    alone = contrast(ours[pair], theirs[pair], 3.0, NONE[:2, :2])
    torch.testing.assert_close(found[0], alone[0])


def test_a_caption_of_another_language_is_true_as_well_and_silence_is_never_wrong() -> None:
    number = torch.tensor([1, 2, 0])
    own = torch.tensor([[1, 2], [1, 2], [0, -1]])
    here = torch.tensor([True, True, False])
    true = as_true(number, own, here)
    assert true[:2, :2].all() and true[2].all() and true[:, 2].all()


def test_unchanged_where_nothing_is_cut_or_shaded() -> None:
    x = torch.rand(5, 3, 8, 8) * 2 - 1
    looks = torch.rand(5, 6)
    torch.testing.assert_close(
        seen_anew(x, looks, PairTrainConfig(crop=1.0, shade=0.0)), x, rtol=0, atol=1e-5
    )
    flat = torch.full((5, 3, 8, 8), 0.25)
    cut = seen_anew(flat, looks, PairTrainConfig(crop=0.3, shade=0.0))
    torch.testing.assert_close(cut, flat)
    brighter = seen_anew(flat, torch.tensor([[0.5, 0.5, 0.5, 1.0, 0.5, 0.5]]), PairTrainConfig(shade=0.2))
    torch.testing.assert_close(brighter, torch.full((5, 3, 8, 8), 0.45))


def squares() -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Pictures of two colours, told in two languages."""
    images = np.zeros((40, 8, 8, 3), np.uint8)
    images[::2, :, :, 0], images[1::2, :, :, 2] = 220, 220
    noise = np.random.default_rng(0).integers(0, 30, images.shape, np.uint8)
    return images + noise, [("a red", "红") if i % 2 == 0 else ("a blue", "圆") for i in range(40)]


@pytest.fixture(scope="module")
def trained() -> Training:
    """A small pair model that has seen the squares."""
    images, captions = squares()
    model = small_pairs()
    flat = [text for each in captions for text in each]
    told = PairedCaptions(Captions(open_words(model.language(), flat), [2] * 40, 0))
    config = PairTrainConfig(steps=120, batch=16, warmup=5, learning_rate=0.01)
    run = Training(model, Batches(images, told, np.arange(40), size=16, seed=0), config)
    assert all(np.isfinite(step.loss) for step in run.fit())
    return run


def test_pictures_and_texts_come_together_and_the_prior_finds_the_mean(trained: Training) -> None:
    model = trained.model.eval()
    images, _ = squares()
    seen, said = model.embed_pictures(images), model.embed_texts(["a red", "红", "a blue", "圆"])
    likeness = said @ torch.stack([seen[::2].mean(0), seen[1::2].mean(0)]).T
    assert (likeness.argmax(1) == torch.tensor([0, 0, 1, 1])).all()
    drawn = model.imagine(said[[0, 2]].repeat_interleave(8, 0), guidance=1.0, tries=1)
    for place, mean in enumerate((seen[::2].mean(0), seen[1::2].mean(0))):
        found = drawn[8 * place : 8 * place + 8].mean(0)
        assert torch.cosine_similarity(found, mean, dim=0) > 0.95


def test_the_prior_teaches_no_encoder_and_is_asked_the_same_again() -> None:
    model = small_pairs()
    objective = ContrastObjective(model, PairTrainConfig()).train()
    said, seen = (torch.nn.functional.normalize(torch.randn(4, 12, requires_grad=True), dim=1) for _ in "ab")
    loss = objective._prior_loss(said.detach(), seen.detach(), torch.full((4,), 0.5), torch.randn(4, 12))
    loss.sum().backward()
    touched = {name.split(".")[0] for name, p in objective.named_parameters() if p.grad is not None}
    assert touched == {"prior"}


def test_pictures_without_captions_lose_nothing_but_teach_views_and_prior() -> None:
    model = small_pairs()
    words = model.language().read(["", "", "a red"])
    raw = torch.from_numpy(pictures(3, channels=3)).permute(0, 3, 1, 2)
    batch = (raw, torch.tensor([0, 0, 1]), torch.tensor([[0], [0], [1]]), *words.tensors())
    objective = ContrastObjective(model, PairTrainConfig()).eval()
    drawn = objective.draw(batch, Noise(0))
    loss = objective(*drawn)
    prior = objective._prior_loss(model.say(words), model.gaze(raw / 127.5 - 1), drawn[2], drawn[3])
    torch.testing.assert_close(loss, prior)
