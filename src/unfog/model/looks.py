"""What can be asked of a model that draws from visual words: a text, a picture, or the way between two.

Each becomes an embedding before anything is drawn: a text by the prior, a picture by the picture encoder.
What a picture carries about itself is that embedding, so that it can be drawn again without the others.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from unfog.codec import TokenCodec
from unfog.condition import PictureEncoder, PictureEncoderConfig
from unfog.errors import DataError, ModelError, SampleError
from unfog.model.asked import NOTHING, Asker, Wish
from unfog.model.pairs import PairModel
from unfog.sample.encode import between
from unfog.spec import PairSpec, Spec, build_part

ARROW = re.compile(r"\s*(?:->|→)\s*")
DRAWS = 16  # of the prior for each side of an edit: their mean is less of a chance


@dataclass(frozen=True)
class Look:
    """What one picture shall show.

    Attributes:
        text: in words; nothing at all is anything.
        embedding: as visual words, E numbers as ``packed``; empty until it is imagined of the text.
        negative: words that guidance leads away from.
        like: names of the pictures that were given.
    """

    text: str = ""
    embedding: str = ""
    negative: str = ""
    like: tuple[str, ...] = ()


class Looks(Asker):
    """Texts and pictures.

    Args:
        spec: of the model.
        pairs: what makes embeddings of them.
    """

    def __init__(self, spec: Spec, pairs: PairModel) -> None:
        self.spec, self.pairs = spec, pairs

    def choose(self, n: int, wish: Wish = NOTHING) -> list[Look]:
        """See ``Asker.choose``."""
        if wish.label is not None:
            raise SampleError(
                f"This model is asked in words or by pictures: --prompt {str(wish.label)!r}, without --label."
            )
        if n < 1:
            raise SampleError(f"{n} pictures: ask for at least one, -n 8.")
        if wish.embedding:
            text = wish.prompt if isinstance(wish.prompt, str) else ""
            return [Look(text, wish.embedding, wish.negative or "", tuple(wish.names))] * n
        if wish.like:
            return self._like(n, wish)
        if wish.edit:
            raise SampleError("--edit changes a picture that is given: add --like PICTURE.")
        texts = wish.prompt
        if texts is None:
            examples = self.spec.examples or ("",)
            texts = [examples[i % len(examples)] for i in range(n)]
        elif isinstance(texts, str):
            texts = [texts] * n
        if len(texts) != n:
            raise SampleError(f"{len(texts)} prompts for {n} pictures: give one, or one for each.")
        return [Look(text, negative=wish.negative or "") for text in texts]

    def _like(self, n: int, wish: Wish) -> list[Look]:
        """Variations of one picture, or n on the way from one to another."""
        assert wish.like is not None
        if wish.prompt is not None:
            raise SampleError(
                "Give --like or --prompt, not both; --edit 'from -> to' changes a picture by words."
            )
        if len(wish.like) > 2:
            raise SampleError(f"{len(wish.like)} pictures: give one, or two for the way between.")
        ends = torch.cat([self.pairs.embed_pictures(picture[None]) for picture in wish.like])
        if len(ends) == 1:
            way = ends.expand(n, -1)
        else:
            shares = [i / max(1, n - 1) for i in range(n)]
            way = torch.cat([between(ends[:1], ends[1:], share) for share in shares])
        if wish.edit:
            way = self.edited(way, wish.edit)
        blank = Look(negative=wish.negative or "", like=tuple(wish.names))
        return [replace(blank, embedding=packed(each)) for each in way]

    def edited(self, embeddings: Tensor, edit: str) -> Tensor:
        """Embeddings (B, E) moved by what the prior imagines for one text and for another, of length 1.

        Args:
            embeddings: of pictures.
            edit: "from -> to", two texts.

        Raises:
            SampleError: these are not two texts.
        """
        parts = ARROW.split(edit)
        if len(parts) != 2 or not all(part.strip() for part in parts):
            raise SampleError(f"--edit {edit!r}: write two texts with an arrow between, 'a cat -> a dog'.")
        said = self.pairs.embed_texts(parts).repeat_interleave(DRAWS, 0)
        # the same noise for both, so that only the words differ
        drawn = self.pairs.imagine(said, indices=[*range(DRAWS)] * 2, tries=1)
        before, after = drawn.view(2, DRAWS, -1).mean(1)
        return F.normalize(embeddings + after - before, dim=1)

    def settled(self, asked: Sequence[Look] | None, seed: int) -> list[Look] | None:
        """See ``Asker.settled``: texts are imagined."""
        if asked is None:
            return None
        found = self._imagined(asked, range(len(asked)), seed)
        return [replace(one, embedding=packed(each)) for one, each in zip(asked, found, strict=True)]

    def raw(self, asked: Sequence[Look] | None, indices: Sequence[int], seed: int) -> Tensor:
        """See ``Asker.raw``: embeddings (B, E)."""
        if asked is None:
            return torch.zeros(len(indices), self.pairs.size)
        return self._imagined(asked, indices, seed)

    def away(self, asked: Sequence[Look] | None) -> Tensor | None:
        """See ``Asker.away``."""
        if asked is None or not any(each.negative for each in asked):
            return None
        said = self.pairs.embed_texts([each.negative for each in asked])
        return self.pairs.imagine(said, indices=[0] * len(said)) * (said.abs().sum(1, keepdim=True) > 0)

    def told(self, one: Look) -> dict[str, str]:
        """See ``Asker.told``."""
        named = {"prompt": one.text, "negative": one.negative, "embedding": one.embedding}
        named["like"] = ", ".join(one.like)
        told = {name: value for name, value in named.items() if value}
        return told or {"prompt": ""}

    def notes(self, asked: Sequence[Look] | None) -> list[str]:
        """See ``Asker.notes``: texts that are longer than what is read of them."""
        texts = list(dict.fromkeys(each.text for each in asked or () if each.text))
        if not texts or not (cut := self.pairs.language().cut(texts)):
            return []
        return [f"{cut} of {len(texts)} prompts: longer than what is read of them; the rest is not."]

    def _imagined(self, asked: Sequence[Look], indices: Sequence[int], seed: int) -> Tensor:
        """The embedding of each; those of texts from the prior, also of no text at all."""
        found = torch.zeros(len(asked), self.pairs.size)
        open_ = [place for place, one in enumerate(asked) if not one.embedding]
        if open_:
            said = self.pairs.embed_texts([asked[place].text for place in open_])
            drawn = self.pairs.imagine(said, seed=seed, indices=[indices[place] for place in open_])
            for place, each in zip(open_, drawn, strict=True):
                found[place] = unpacked(packed(each), self.pairs.size)
        for place, one in enumerate(asked):
            if one.embedding:
                found[place] = unpacked(one.embedding, self.pairs.size)
        return found


def packed(embedding: Tensor) -> str:
    """An embedding (E,) as text: half precision, base64."""
    return base64.b64encode(embedding.numpy().astype("<f2").tobytes()).decode()


def unpacked(text: str, size: int) -> Tensor:
    """Back from ``packed``, of length 1, (E,).

    Raises:
        DataError: this is no embedding of that size.
    """
    try:
        raw = np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float32)
    except ValueError:
        raw = np.zeros(0, np.float32)
    if len(raw) != size or not np.isfinite(raw).all():
        raise DataError("The embedding in this file is damaged, or of another model.")
    return F.normalize(torch.from_numpy(raw), dim=0)


def looking(
    spec: Spec, vector: int, context: int, tokens: TokenCodec | None
) -> tuple[PairModel, PictureEncoder, Looks]:
    """The pair model of a model, frozen and without its weights, its encoder, and what it can be asked for.

    Args:
        spec: of the model.
        vector: length of the condition vector that its network takes.
        context: width of the tokens that its network attends to.
        tokens: of captions, where the pair model learned to read by itself.

    Raises:
        ModelError: if the network takes no tokens.
    """
    if not context:
        raise ModelError("This network attends to no visual words: --set network.context=256.")
    pairs = PairModel(PairSpec(**spec.pairs["model"]), tokens=tokens).requires_grad_(False).eval()
    shape = {"size": pairs.size, "words": pairs.gaze.config.words, "width": context, "vector": vector}
    config: PictureEncoderConfig = build_part(PictureEncoderConfig, shape, "picture encoder")
    return pairs, PictureEncoder(config), Looks(spec, pairs)
