"""Writing block by block: what a block sees, where a text ends, and what is kept of finished blocks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.given import enliven, small_writer
from unfog.condition import NONE
from unfog.denoise import MaskedDenoiser
from unfog.model.blocks import Behind, walk_blocks
from unfog.nets.text import Cache, TextTransformer
from unfog.process import MaskedProcess
from unfog.rng import Noise
from unfog.sample import TOKEN_SAMPLERS, Ancestral, Step, even

MASKED = [name for name in TOKEN_SAMPLERS if name != "uniform"]
BLOCK, MASK, END = 4, 9, 7


class Tells(TextTransformer):
    """A network with blocks that says for each place what it was told, and remembers what it was asked."""

    def __init__(self, tokens: list[int]) -> None:
        model = small_writer(network={"block": BLOCK})
        super().__init__(model.denoiser.network.config)
        self.tokens, self.asked, self.kept = tokens, list[tuple[int, int]](), 0

    def hidden(self, tokens: Tensor, *args: object, cache: Cache | None = None, keep: int = 0) -> Tensor:
        start = 0 if cache is None else cache.filled
        self.asked.append((start, tokens.shape[1]))
        if cache is not None:
            cache.filled += keep
        said = torch.tensor(self.tokens[start : start + tokens.shape[1]])
        return 30.0 * torch.nn.functional.one_hot(said, MASK + 1).float().expand(len(tokens), -1, -1)

    def logits_of(self, hidden: Tensor) -> Tensor:
        return hidden


@torch.inference_mode()
def walked(network: TextTransformer, canvas: Tensor, context: int = 64, steps: int = 2) -> list[Step]:
    """All steps with the ancestral sampler."""
    process, rng = MaskedProcess(MASK + 1), Noise.for_pictures(0, range(len(canvas)))
    common = {"context": context, "end": END, "rng": rng, "bar": lambda denoiser, _: denoiser}
    return list(walk_blocks(network, process, Ancestral(), even(steps), canvas, NONE, **common))


def test_blocks_are_written_from_left_to_right_and_stay() -> None:
    told = [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5]
    steps = walked(Tells(told), torch.full((2, len(told)), MASK))
    assert steps[-1].x_s.tolist() == [told, told]
    assert [step.index for step in steps] == list(range(len(steps)))
    for step in steps:
        block = step.index // 2
        before, after = block * BLOCK, (block + 1) * BLOCK
        assert step.x_s[:, :before].tolist() == [told[:before]] * 2, "finished"
        assert bool((step.x_s[:, after:] == MASK).all()), "not begun"


def test_a_text_that_has_ended_is_written_no_further() -> None:
    network = Tells([1, 2, 3, 4, 5, END, 1, 2, *[3] * 24])
    steps = walked(network, torch.full((1, 32), MASK))
    assert steps[-1].x_s.tolist() == [[1, 2, 3, 4, 5, END, 1, 2, *[END] * 24]]
    assert max(start + length for start, length in network.asked) == 2 * BLOCK, "no later block was asked for"


def test_end_that_was_given_ends_nothing() -> None:
    """The canvas of a packed model begins behind the END of another document."""
    canvas = torch.full((1, 8), MASK)
    canvas[0, 0] = END
    assert walked(Tells([3, 1, 2, 3, 4, 5, 6, 1]), canvas)[-1].x_s.tolist() == [[END, 1, 2, 3, 4, 5, 6, 1]]


def test_what_is_given_stays_and_a_block_without_gaps_asks_nothing() -> None:
    canvas = torch.full((1, 12), MASK)
    canvas[0, :4] = torch.tensor([6, 6, 6, 6])
    canvas[0, 5] = 6
    network = Tells([1] * 12)
    steps = walked(network, canvas)
    assert steps[-1].x_s.tolist() == [[6, 6, 6, 6, 1, 6, 1, 1, 1, 1, 1, 1]]
    assert network.asked[0] == (0, 8) and network.asked[1] == (4, 4), "the first is read with the second"


@pytest.mark.parametrize(("context", "given"), [(4, 0), (8, 0), (12, 0), (12, 30)])
def test_a_text_may_be_longer_than_the_context(context: int, given: int) -> None:
    network = small_writer(network={"block": BLOCK}).denoiser.network
    network.eval()
    canvas = torch.full((1, 40), MASK)
    canvas[:, :given] = 3
    steps = walked(network, canvas, context=context)
    assert len(steps[-1].x_s[0]) == 40 and not bool((steps[-1].x_s == MASK).any())


def test_the_cache_changes_nothing() -> None:
    """Behind finished blocks the network says what it says of the whole text at once."""
    torch.manual_seed(0)
    network = small_writer(network={"block": BLOCK}).denoiser.network
    text = torch.randint(0, 7, (2, 12))
    with torch.inference_mode():
        memory = network.cache(2, 12)
        network.hidden(text[:, :4], cache=memory, keep=4)
        open = torch.full((2, 4), MASK)
        denoiser = MaskedDenoiser(Behind(network, memory, text[:, 4:8]), MaskedProcess(MASK + 1))
        found, again = (denoiser(open, torch.tensor(0.5)) for _ in range(2))
        text[:, 8:] = MASK
        rows = network(text)[:, 8:, :MASK].log_softmax(-1)
    torch.testing.assert_close(found.rows, rows.flatten(0, 1), rtol=0, atol=1e-5)
    torch.testing.assert_close(again.rows, found.rows, rtol=0, atol=1e-5)
    assert memory.filled == 8, "a block that is still being written does not join"


@pytest.mark.parametrize("name", MASKED)
def test_every_sampler_of_hidden_tokens_writes_blocks(name: str) -> None:
    model = small_writer(network={"block": BLOCK})
    one, two = (model.generate(2, sampler=name, steps=3, seed=5, length=40) for _ in range(2))
    assert one == two and any(one)


def test_a_short_canvas_of_a_model_of_rows_is_seen_as_a_row() -> None:
    """How much is hidden must not hang on where a canvas ends."""
    model = small_writer(packed=True)
    enliven(model.denoiser.network, 0.3)
    mask, row = model.codec.mask, model.layout.beginning("My").tokens
    short, open = row[None, :10], row[None, :10] == mask
    of_row = model.without(row[None], row[None] == mask).rows[: int(open.sum())]
    torch.testing.assert_close(model.without(short, open).rows, of_row)
    whole = small_writer(packed=False)
    enliven(whole.denoiser.network, 0.3)
    alone = whole.without(short, open).rows - whole.without(row[None], row[None] == mask).rows[: len(of_row)]
    assert float(alone.detach().abs().max()) > 0.01, "whole documents fill their rows by END"


def test_what_follows_the_end_is_not_written() -> None:
    """In a row of texts laid end to end, the canvas of one is closed with END once it is over."""
    model, count = small_writer(packed=True), 300
    canvas, end, mask = model.layout.beginning("My"), model.codec.end, model.codec.mask
    with torch.no_grad():
        model.denoiser.network.stem.weight.zero_()  # any token is as likely as any other
    open = canvas.tokens == mask
    writing = model.settings(sampler="reading", steps=int(open.sum()))
    steps = [step.x_s for _, _, step in model.walk(range(count), [canvas] * count, writing=writing)]
    early = (steps[-1][:, :-1] == end) & open[:-1]
    assert 5 < int(early.any(1).sum()) < count
    for number in early.any(1).nonzero()[:, 0]:
        over = int(early[number].int().argmax())
        assert (steps[-1][number, over:] == end).all()
        asked = int(open[:over].sum()) + 1  # one token a step
        left = [int((x[number] == mask).sum()) for x in steps]
        assert left[asked - 2] > 0 and not any(left[asked - 1 :])
