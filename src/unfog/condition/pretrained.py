"""Any text model of the library ``transformers``, from a folder or a hub, as a language model.

Four kinds are read, and told apart by what the folder says: encoders (BERT), the reading half of models that
read and write (T5; Raffel et al. 2020, arXiv 1910.10683), the text side of pair models (CLIP; Radford et al.
2021, arXiv 2103.00020), and models that write (Qwen, SmolLM), whose last states serve as well. Where a token
sees only those before it, the last one alone has seen the whole text, and its state stands for it.

Weights are safetensors or are not read: the older files are pickles, and a pickle can run any code. Nor
is code run that comes with a model.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unfog.condition.language import LONGEST, LanguageModel, files_digest, mostly, padded_rows
from unfog.condition.words import Words
from unfog.errors import MissingExtra, ModelError

PREFIX = "hub:"
_FILES = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model")
_DIGESTED = {".safetensors", ".json", ".txt", ".model"}
_SPARE = re.compile(r"(^|\.)(pooler|lm_head|cls|position_ids)(\.|$)")  # weights that the states do not need


class Pretrained(LanguageModel):
    """A text model of the library transformers; its weights are loaded when it reads for the first time.

    Args:
        source: a folder, or 'hub:OWNER/NAME'.
        longest: tokens that are read of a text; None for 128. Never more than the model can.
        device: where it computes.

    Raises:
        MissingExtra: transformers is not installed.
        ModelError: it cannot be fetched, or is no text model, or holds only pickled weights.
    """

    def __init__(self, source: str, longest: int | None = None, device: torch.device | str = "cpu") -> None:
        try:
            self._library: Any = importlib.import_module("transformers")
        except ImportError:
            raise MissingExtra("transformers", "text") from None
        self.name = source
        self._folder = _fetched(source) if source.startswith(PREFIX) else Path(source)
        _check_folder(self._folder, source)
        self._device = device
        with self._explained(), _quiet(self._library):
            self._config = self._library.AutoConfig.from_pretrained(
                self._folder, local_files_only=True, trust_remote_code=False
            )
            self._tokenizer = self._library.AutoTokenizer.from_pretrained(
                self._folder, local_files_only=True, trust_remote_code=False
            )
        self.width = int(self._text.hidden_size)
        asked = longest or LONGEST
        places = getattr(self._text, "max_position_embeddings", None) or asked  # T5 has no end
        self.longest = int(min(asked, places, self._tokenizer.model_max_length))

    @property
    def _text(self) -> Any:
        """The part of the configuration that is about text: CLIP has another one about pictures."""
        return getattr(self._config, "text_config", self._config)

    @property
    def fingerprint(self) -> str:
        """Of all its weights and settings."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        files = sorted(path for path in self._folder.iterdir() if path.suffix in _DIGESTED)
        return files_digest(files, "transformers", self.longest)

    def count(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has before it is cut, special ones included."""
        return [len(row) for row in self._rows(list(texts))]

    def unknown(self, texts: Sequence[str]) -> int:
        """How many of the texts are at least half of pieces that the model never learned."""
        around = self._tokenizer.num_special_tokens_to_add(pair=False)
        return mostly(self._rows(list(texts)), self._tokenizer.unk_token_id, around)

    def _rows(self, texts: list[str]) -> list[list[int]]:
        with _quiet(self._library):
            rows: list[list[int]] = self._tokenizer(texts)["input_ids"]
        return rows

    @torch.no_grad()
    def _read(self, texts: list[str]) -> Words:
        tokens, mask = padded_rows(self._rows(texts), self.longest, set(self._tokenizer.all_special_ids))
        states = self._states(tokens, mask)
        if not self._causal:
            return Words(states, mask, mask.any(1))
        last = (mask.sum(1) - 1).clamp(min=0)
        return Words(states, mask, mask.any(1), states[torch.arange(len(states)), last])

    def _states(self, tokens: Tensor, mask: Tensor) -> Tensor:
        seen = mask.clone()
        seen[:, 0] = True  # a text without tokens would attend to nothing at all
        given = {"input_ids": tokens.to(self._device), "attention_mask": seen.long().to(self._device)}
        states: Tensor = self._network(**given).last_hidden_state
        return states.float().cpu()

    @cached_property
    def _causal(self) -> bool:
        """Whether a token sees only those before it: tried out, as no setting says so for all kinds."""
        one, two = torch.tensor([[1, 2, 3], [1, 2, 4]]) % int(self._text.vocab_size)
        both, mask = torch.stack([one, two]), torch.ones(2, 3, dtype=torch.bool)
        states = self._states(both, mask)[:, 0]
        return bool(torch.allclose(states[0], states[1], atol=1e-6))

    @cached_property
    def _network(self) -> Any:
        library, config = self._library, self._text
        encoders = library.AutoModelForTextEncoding
        kind = encoders if type(config) in encoders._model_mapping else library.AutoModel
        with self._explained(), _quiet(library), torch.random.fork_rng(devices=[]):
            network, found = kind.from_pretrained(
                self._folder,
                config=config if kind is encoders else self._config,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
            missing = sorted(name for name in found["missing_keys"] if not _SPARE.search(name))
            if missing:
                raise ModelError(f"it lacks {len(missing)} weights, {missing[0]!r} among them")
            if self._config.is_encoder_decoder and hasattr(network, "get_encoder"):
                network = network.get_encoder()
            network.config.use_cache = False
        return network.eval().requires_grad_(False).to(self._device)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of the library, which are of many kinds and long, as one of ours."""
        try:
            yield
        except Exception as error:
            why = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise ModelError(
                f"{self.name!r} cannot be used as a language model: {why}\n"
                "Give a text model as transformers saves it: config.json, tokenizer.json, model.safetensors."
            ) from error


def _fetched(source: str) -> Path:
    """The folder of a hub model: from the library's own cache, or from the network.

    Raises:
        ModelError: it cannot be had.
    """
    name = source.removeprefix(PREFIX)
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise ModelError(f"{source!r} names no hub model. Write hub:OWNER/NAME.")
    hub: Any = importlib.import_module("huggingface_hub")
    try:
        return Path(hub.snapshot_download(name, allow_patterns=[*_FILES], ignore_patterns=["*/*"]))
    except Exception as error:  # of the hub, of the network, of the disk
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(
            f"The language model {source!r} cannot be fetched: {why}\n"
            "Check the name and the network; behind a firewall set HF_ENDPOINT to a mirror, or give a folder."
        ) from error


def _check_folder(folder: Path, source: str) -> None:
    """Refuse what cannot be a text model, or what only a pickle reader could open.

    Raises:
        ModelError: saying what is missing.
    """
    try:
        json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise ModelError(
            f"{source!r} is no model folder: it holds no readable config.json. "
            "Give a text model as transformers saves it."
        ) from None
    if not any(folder.glob("*.safetensors")):
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt"))
        held = "only pickled weights, which can run code and are never read" if pickled else "no weights"
        raise ModelError(f"{source!r} holds {held}. Give a model with model.safetensors.")


@contextlib.contextmanager
def _quiet(library: Any) -> Iterator[None]:
    """Without the library's bars and advice, which would stand between our own lines."""
    logging = library.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
