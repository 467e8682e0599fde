"""What can be asked of a model of pictures: classes by name, or words.

One thing is asked for each picture, and only here is it known what kind of thing that is. Samplers, trainer
and recipes hand it through; the model's encoder turns what ``Asker.raw`` makes of it into a ``Condition``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from unfog.codec import TokenCodec
from unfog.condition import (
    Encoder,
    LabelEncoder,
    LanguageModel,
    OwnTextEncoder,
    OwnTextEncoderConfig,
    Spelling,
    TextEncoder,
    TextEncoderConfig,
    Words,
    open_language,
)
from unfog.errors import ModelError, SampleError
from unfog.spec import Spec, build_part, choose_groups, choose_labels

OWN = "own"  # the language model that is none: tokens, and an encoder that learns with the picture model


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a person asks for, for all pictures or for each.

    Attributes:
        label: a class, by name or number.
        prompt: words; several take turns.
        negative: words that guidance leads away from.
        room: places for tokens, where there shall be more than the prompts need.
        like: pictures that are given instead of words, uint8 (H, W, C).
        names: what those are called.
        edit: how they shall differ, "from -> to".
        embedding: visual words themselves, as a generated file carries them.
        weight: how much pictures count beside words; 1 as in training, 0 not at all.
    """

    label: str | int | Sequence[str | int] | None = None
    prompt: str | Sequence[str] | None = None
    negative: str | None = None
    room: int = 0
    like: Sequence[np.ndarray] | None = None
    names: Sequence[str] = ()
    edit: str | None = None
    embedding: str = ""
    weight: float = 1.0


NOTHING = Wish()


class Asker(ABC):
    """What a model can be asked for."""

    @abstractmethod
    def choose(self, n: int, wish: Wish = NOTHING) -> list[Any] | None:
        """One thing for each of n pictures; classes, or the model's own examples, take turns by default.

        Raises:
            SampleError: if the model cannot be asked for that.
        """

    @abstractmethod
    def raw(self, asked: Sequence[Any] | None, indices: Sequence[int], seed: int) -> Any:
        """What the encoder reads, for some pictures of a request.

        Args:
            asked: one thing for each of them; None for anything.
            indices: their numbers in the request of this seed; nothing else decides what is drawn by lot.
            seed: of the request.
        """

    def settled(self, asked: Sequence[Any] | None, seed: int) -> list[Any] | None:
        """The same with all that is drawn by lot decided, where pictures carry what was decided."""
        return None if asked is None else list(asked)

    def away(self, asked: Sequence[Any] | None) -> Any | None:
        """What guidance leads away from, as the encoder reads it; None for what says nothing."""
        return None

    @abstractmethod
    def told(self, one: Any) -> dict[str, Any]:
        """What a picture says it was asked for: "label", or "prompt"; further names are settings."""

    def room(self, asked: Sequence[Any] | None) -> int:
        """Places for tokens that these take together: sums depend on it in their last bits."""
        return 0

    def notes(self, asked: Sequence[Any] | None) -> list[str]:
        """What a person should know about how it is understood."""
        return []


@dataclass(frozen=True)
class Labels(Asker):
    """Classes, each a group of pictures or several groups of look-alikes.

    Attributes:
        spec: of the model; it has groups, or nothing can be asked.
    """

    spec: Spec

    def choose(self, n: int, wish: Wish = NOTHING) -> list[int] | None:
        """See ``Asker.choose``: class numbers; None without classes."""
        refuse_pictures(wish)
        if wish.prompt is not None or wish.negative is not None:
            raise SampleError(
                "This model was trained without captions and reads no words: leave --prompt out, or train "
                "one that does: unfog train text2image --data DATA --out RUN"
            )
        otherwise = ", or add --classifier DATA, where DATA has them"
        return choose_labels(self.spec.classes, n, wish.label, otherwise)

    def raw(self, asked: Sequence[int] | None, indices: Sequence[int], seed: int) -> torch.Tensor:
        """See ``Asker.raw``: a group for each picture, as often as in the training pictures of its class."""
        return torch.tensor(choose_groups(self.spec, indices, asked, seed))

    def told(self, one: int) -> dict[str, str]:
        """See ``Asker.told``."""
        return {"label": self.spec.classes[one]}


@dataclass(frozen=True)
class Prompt:
    """What one picture shall show, in words.

    Attributes:
        text: what; nothing at all is anything.
        negative: what guidance leads away from.
        room: places for tokens, at least.
    """

    text: str
    negative: str = ""
    room: int = 0


class Prompts(Asker):
    """Words, read by a language model that is opened when the first ones come.

    Args:
        spec: of the model; ``text`` says how it reads.
        tokens: of an encoder that learned to read with the model.
    """

    def __init__(self, spec: Spec, tokens: TokenCodec | None = None) -> None:
        self.spec, self.tokens = spec, tokens
        self._language: LanguageModel | None = None
        self._read: tuple[tuple[str, ...], Words] | None = None

    def language(self) -> LanguageModel:
        """What reads the prompts.

        Raises:
            ModelError: if it is another than the model learned with.
            MissingExtra: if a package is not installed.
        """
        if self._language is None:
            self._language = language_of(self.spec.text, self.tokens)
        return self._language

    def choose(self, n: int, wish: Wish = NOTHING) -> list[Prompt]:
        """See ``Asker.choose``."""
        refuse_pictures(wish)
        if wish.label is not None:
            raise SampleError(f"This model is asked in words: --prompt {str(wish.label)!r}, without --label.")
        if n < 1:
            raise SampleError(f"{n} pictures: ask for at least one, -n 8.")
        turns = in_turn(wish.prompt, self.spec.examples, n)
        return [Prompt(text, wish.negative or "", wish.room) for text in turns]

    def raw(self, asked: Sequence[Prompt] | None, indices: Sequence[int], seed: int) -> Words:
        """See ``Asker.raw``."""
        if asked is None:
            return self._words([""] * len(indices))
        return self._words([each.text for each in asked]).padded(max(each.room for each in asked))

    def away(self, asked: Sequence[Prompt] | None) -> Words | None:
        """See ``Asker.away``."""
        if asked is None or not any(each.negative for each in asked):
            return None
        return self.language().read([each.negative for each in asked])

    def told(self, one: Prompt) -> dict[str, str]:
        """See ``Asker.told``."""
        return {"prompt": one.text} | ({"negative": one.negative} if one.negative else {})

    def room(self, asked: Sequence[Prompt] | None) -> int:
        """See ``Asker.room``."""
        return 0 if asked is None else self.raw(asked, range(len(asked)), 0).mask.shape[1]

    def notes(self, asked: Sequence[Prompt] | None) -> list[str]:
        """See ``Asker.notes``: which prompts are longer than what is read of them."""
        texts, language = list(dict.fromkeys(each.text for each in asked or ())), self.language()
        found = []
        if cut := language.cut(texts):
            which = "The prompt is" if len(texts) == 1 else f"{cut} of {len(texts)} prompts are"
            found.append(f"{which} longer than the {language.longest} tokens that are read; the rest is not.")
        if unknown := language.unknown(texts):
            which = "The prompt is" if len(texts) == 1 else f"{unknown} of {len(texts)} prompts are"
            found.append(f"{which} mostly of words that {self.spec.text['language']} never learned.")
        return found

    def _words(self, texts: Sequence[str]) -> Words:
        """Read, or as read the last time: a walk asks for the same words more than once."""
        key = tuple(texts)
        if self._read is None or self._read[0] != key:
            self._read = key, self.language().read(texts)
        return self._read[1]


def in_turn(prompt: str | Sequence[str] | None, examples: Sequence[str], n: int) -> list[str]:
    """A text for each of n pictures: the prompts, or the model's own examples where there are none.

    Raises:
        SampleError: if there are more prompts than pictures.
    """
    if prompt is None:
        texts: Sequence[str] = examples or ("",)
    else:
        texts = [prompt] if isinstance(prompt, str) else prompt
        if len(texts) > n:
            raise SampleError(
                f"{len(texts)} prompts for {n} pictures: ask for one for each, -n {len(texts)}."
            )
    return [texts[i % len(texts)] for i in range(n)]


def refuse_pictures(wish: Wish) -> None:
    """Refuse pictures as prompts, for models that have no visual words.

    Raises:
        SampleError: saying what would have some.
    """
    if wish.like or wish.edit or wish.embedding:
        raise SampleError(
            "This model has no visual words and takes no picture as a prompt: leave --like and --edit out, "
            "or train one that does: unfog train text2image --pairs PAIRS --data DATA --out RUN"
        )


def asking(spec: Spec, vector: int, context: int, tokens: TokenCodec | None) -> tuple[Encoder | None, Asker]:
    """The encoder of a model, untrained, and what it can be asked for.

    Args:
        spec: of the model.
        vector: length of the condition vector that its network takes.
        context: width of the tokens that its network attends to, 0 if it takes none.
        tokens: of an encoder that learns to read with the model.

    Raises:
        ModelError: if the network takes no words, or the tokens are missing.
    """
    if not spec.text:
        return (LabelEncoder(len(spec.groups), vector) if spec.groups else None), Labels(spec)
    if not context:
        raise ModelError("This network attends to no words: --set network.context=256.")
    return text_encoder(spec.text, context, vector, tokens), Prompts(spec, tokens)


def language_of(text: Mapping[str, Any], tokens: TokenCodec | None) -> LanguageModel:
    """What reads texts.

    Args:
        text: how, see ``Spec.text``.
        tokens: of an encoder that learned to read by itself.

    Raises:
        ModelError: if it is another than the model learned with.
        MissingExtra: if a package is not installed.
    """
    longest = text.get("longest")
    if tokens is not None:
        return Spelling(tokens.encode_many, tokens.to_json(), longest)
    return open_language(text["language"], longest=longest, fingerprint=text.get("fingerprint"))


def text_encoder(
    text: Mapping[str, Any], width: int, vector: int, tokens: TokenCodec | None
) -> TextEncoder | OwnTextEncoder:
    """What learns behind that which reads texts, untrained.

    Args:
        text: how texts are read, see ``Spec.text``.
        width: of its tokens.
        vector: length of its vectors.
        tokens: of an encoder that learns to read by itself.

    Raises:
        ModelError: if the tokens are missing.
    """
    shape = {**text.get("encoder", {}), "width": width, "vector": vector}
    if text["language"] != OWN:
        return TextEncoder(build_part(TextEncoderConfig, {**shape, "states": text["states"]}, "text encoder"))
    if tokens is None:
        raise ModelError("This model reads with tokens of its own, and they are missing.")
    own = build_part(OwnTextEncoderConfig, {**shape, "vocabulary": tokens.vocabulary}, "text encoder")
    return OwnTextEncoder(own)
