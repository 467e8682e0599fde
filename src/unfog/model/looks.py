"""What can be asked of a model that draws from visual words: a text, a picture, or the way between two.

Each becomes an embedding before anything is drawn: a text by the prior, a picture by the picture encoder.
What a picture carries about itself is that embedding, so that it can be drawn again without the others.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from unfog.codec import TokenCodec
from unfog.condition import (
    Encoder,
    PictureEncoder,
    PictureEncoderConfig,
    PicturePrompt,
    Words,
    WordsAndPicture,
)
from unfog.condition.text import WordsEncoder
from unfog.errors import DataError, ModelError, SampleError
from unfog.model.asked import NOTHING, Asker, Prompt, Prompts, Wish, in_turn
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
        texts = in_turn(wish.prompt, self.spec.examples, n)
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


def pairs_of(spec: Spec, tokens: TokenCodec | None) -> PairModel:
    """The pair model of a model, frozen and without its weights.

    Args:
        spec: of the model.
        tokens: of captions, where the pair model learned to read by itself.
    """
    return PairModel(PairSpec(**spec.pairs["model"]), tokens=tokens).requires_grad_(False).eval()


def looking(
    spec: Spec, network: Any, pairs: PairModel, words: Encoder | None, prompts: Asker
) -> tuple[Encoder, Asker]:
    """The encoder of a model with a pair model, untrained, and what it can be asked for.

    Args:
        spec: of the model.
        network: its settings.
        pairs: the pair model.
        words: the encoder of words, where it reads them beside.
        prompts: what can be asked of that.

    Raises:
        ModelError: if the network takes no tokens.
    """
    count = pairs.gaze.config.words
    if isinstance(words, WordsEncoder) and isinstance(prompts, Prompts):
        if not getattr(network, "picture", 0):
            raise ModelError("This network takes no picture as a prompt: it has no slot for one.")
        prompt = PicturePrompt(pairs.size, count, network.picture)
        return WordsAndPicture(words, prompt), PromptsAndLooks(prompts, Looks(spec, pairs))
    if not getattr(network, "context", 0):
        raise ModelError("This network attends to no visual words: --set network.context=256.")
    shape = {"size": pairs.size, "words": count, "width": network.context, "vector": network.vector}
    config: PictureEncoderConfig = build_part(PictureEncoderConfig, shape, "picture encoder")
    return PictureEncoder(config), Looks(spec, pairs)


@dataclass(frozen=True)
class Both:
    """Words, and a picture beside them.

    Attributes:
        prompt: the words.
        look: the picture; one without an embedding is none.
        weight: how much the picture counts.
    """

    prompt: Prompt
    look: Look
    weight: float = 1.0


class PromptsAndLooks(Asker):
    """Words, a picture, or both at once.

    Args:
        prompts: what words can be asked for.
        looks: what makes embeddings of pictures.
    """

    def __init__(self, prompts: Prompts, looks: Looks) -> None:
        self.prompts, self.looks = prompts, looks

    def choose(self, n: int, wish: Wish = NOTHING) -> list[Both]:
        """See ``Asker.choose``; a picture without words is that picture alone."""
        given = bool(wish.like or wish.embedding)
        if wish.edit and not given:
            raise SampleError("--edit changes a picture that is given: add --like PICTURE.")
        words = replace(wish, like=None, names=(), edit=None, embedding="")
        if given and wish.prompt is None:
            words = replace(words, prompt="")
        prompts = self.prompts.choose(n, words)
        looks = [Look()] * n
        if given:
            looks = self.looks.choose(n, replace(wish, label=None, prompt=None, negative=None))
        return [Both(*both, wish.weight) for both in zip(prompts, looks, strict=True)]

    def raw(self, asked: Sequence[Both] | None, indices: Sequence[int], seed: int) -> tuple[Words, Tensor]:
        """See ``Asker.raw``: words, and embeddings (B, E) as long as they count."""
        words = self.prompts.raw(None if asked is None else [each.prompt for each in asked], indices, seed)
        seen = torch.zeros(len(indices), self.looks.pairs.size)
        for place, each in enumerate(asked or ()):
            if each.look.embedding:
                seen[place] = each.weight * unpacked(each.look.embedding, len(seen[place]))
        return words, seen

    def away(self, asked: Sequence[Both] | None) -> tuple[Words, Tensor] | None:
        """See ``Asker.away``: no picture."""
        words = self.prompts.away(None if asked is None else [each.prompt for each in asked])
        return None if words is None else (words, torch.zeros(len(words), self.looks.pairs.size))

    def told(self, one: Both) -> dict[str, Any]:
        """See ``Asker.told``."""
        beside = self.looks.told(one.look)
        weight = {"weight": one.weight} if one.look.embedding else {}
        return {**beside, **self.prompts.told(one.prompt), **weight}

    def room(self, asked: Sequence[Both] | None) -> int:
        """See ``Asker.room``."""
        return self.prompts.room(None if asked is None else [each.prompt for each in asked])

    def notes(self, asked: Sequence[Both] | None) -> list[str]:
        """See ``Asker.notes``."""
        return self.prompts.notes(None if asked is None else [each.prompt for each in asked])
