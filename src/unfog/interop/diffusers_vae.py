"""KL autoencoders in the layout of the library diffusers, as codecs.

A folder with ``config.json`` and ``diffusion_pytorch_model.safetensors``, in one file or in several with an
index. Our autoencoder has the same layers, so reading one is a table of names. Weights are safetensors only:
a ``.bin`` file could run code when it is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unfog.codec import LatentStatistics, PixelStatistics
from unfog.errors import ModelError
from unfog.model import CodecModel
from unfog.nets.autoencoder import AutoencoderConfig
from unfog.spec import CodecSpec

WEIGHTS = "diffusion_pytorch_model.safetensors"
SIDE = 64  # latents along a side of an ordinary picture, where the folder does not say what is one

# theirs -> ours, in this order
NAMES: tuple[tuple[str, str], ...] = (
    (r"\.conv_in\.", ".stem."),
    (r"\.conv_out\.", ".head."),
    (r"\.conv_norm_out\.", ".norm."),
    (r"\.(?:down|up)_blocks\.(\d+)\.resnets\.(\d+)\.", r".levels.\1.blocks.\2."),
    (r"\.down_blocks\.(\d+)\.downsamplers\.0\.conv\.", r".levels.\1.turn."),
    (r"\.up_blocks\.(\d+)\.upsamplers\.0\.conv\.", r".levels.\1.turn.mix."),
    (r"\.mid_block\.resnets\.0\.", ".middle.first."),
    (r"\.mid_block\.resnets\.1\.", ".middle.second."),
    (r"\.mid_block\.attentions\.0\.", ".middle.attention."),
    (r"\.norm1\.", ".norm_in."),
    (r"\.norm2\.", ".norm_out."),
    (r"\.conv1\.", ".conv_in."),
    (r"\.conv2\.", ".conv_out."),
    (r"\.conv_shortcut\.", ".skip."),
    (r"\.attention\.group_norm\.", ".attention.norm."),
    (r"\.attention\.(?:to_q|query)\.", ".attention.query."),
    (r"\.attention\.(?:to_k|key)\.", ".attention.key."),
    (r"\.attention\.(?:to_v|value)\.", ".attention.value."),
    (r"\.attention\.(?:to_out\.0|proj_attn)\.", ".attention.out."),
    (r"^quant_conv\.", "quant."),
    (r"^post_quant_conv\.", "post_quant."),
)


def is_vae_folder(folder: str | Path) -> bool:
    """Whether a folder looks like an autoencoder of diffusers, or holds one under ``vae``."""
    return _config_file(Path(folder)) is not None


def read_vae(folder: str | Path) -> CodecModel:
    """Read an autoencoder.

    Args:
        folder: of an ``AutoencoderKL``, or of a pipeline that holds one under ``vae``.

    Raises:
        ModelError: it is missing, damaged, or of a kind that is not known here.
    """
    path = _config_file(Path(folder))
    if path is None:
        raise ModelError(f"{folder} holds no config.json of an AutoencoderKL. Give the folder of one.")
    try:
        config = json.loads(path.read_text("utf-8"))
        shape, latents = _shape(config), _latents(config)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path} does not describe an AutoencoderKL ({error}).") from error
    channels, size = shape["channels"], latents.shape[1] * AutoencoderConfig(**shape).factor
    ends = (0.5,) * channels
    pixels = PixelStatistics((channels, size, size), 0, ends, ends, 0.0, 1.0, 0.0, 0.0)
    spec = CodecSpec("codec", shape, pixels.to_dict(), latents.to_dict())
    history = [{"event": "read", "format": "diffusers", "source": Path(folder).name}]
    model = CodecModel(spec, history)
    model.codec.autoencoder.load_state_dict(_fitting(_read(path.parent), model, path.parent))
    return model.eval()


def _config_file(folder: Path) -> Path | None:
    for path in (folder / "config.json", folder / "vae" / "config.json"):
        if path.is_file() and not (folder / "model.json").is_file():
            return path
    return None


def _shape(config: Mapping[str, Any]) -> dict[str, Any]:
    """Options of our autoencoder; ``AutoencoderConfig`` checks them.

    Raises:
        ValueError: something is not as an AutoencoderKL has it.
    """
    wanted = {"_class_name": "AutoencoderKL", "act_fn": "silu"}
    for name, value in wanted.items():
        if config.get(name, value) != value:
            raise ValueError(f"{name} is {config[name]!r}, and only {value!r} is known")
    for name, kind in (("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")):
        if other := set(config.get(name, ())) - {kind}:
            raise ValueError(f"{name} has {sorted(other)[0]!r}, and only {kind!r} is known")
    channels = int(config.get("in_channels", 3))
    if channels != int(config.get("out_channels", channels)):
        raise ValueError("it gives other channels than it takes")
    return {
        "channels": channels,
        "latent": int(config.get("latent_channels", 4)),
        "kind": "kl",
        "patch": 1,
        "widths": tuple(map(int, config["block_out_channels"])),
        "depth": int(config.get("layers_per_block", 1)),
        "attention": bool(config.get("mid_block_add_attention", True)),
        "grow": "full",
        "quant": bool(config.get("use_quant_conv", True)),
        "post_quant": bool(config.get("use_post_quant_conv", True)),
        "groups": int(config.get("norm_num_groups", 32)),
    }


def _latents(config: Mapping[str, Any]) -> LatentStatistics:
    """What the folder says of its latents: they are moved by one number and scaled by another."""
    shift = config.get("shift_factor") or 0.0
    scale = config.get("scaling_factor") or 1.0
    channels = int(config.get("latent_channels", 4))
    return LatentStatistics.of_nothing((channels, SIDE, SIDE), float(shift), 1 / float(scale))


def _read(folder: Path) -> dict[str, Tensor]:
    """All weights by their names there, float32.

    Raises:
        ModelError: a file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    index, found = folder / f"{WEIGHTS}.index.json", dict[str, Tensor]()
    try:
        files = [WEIGHTS]
        if index.is_file():
            files = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
        for name in files:
            if Path(name).name != name:  # an index must not lead out of its folder
                raise ModelError(f"{index} names a file outside of its folder: {name!r}.")
            found |= load_file(folder / name)
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder} has no {WEIGHTS}. Save it as safetensors: vae.save_pretrained(FOLDER)"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelError(f"The weights in {folder} are damaged ({error}). Fetch them again.") from error
    return {name: tensor.to(torch.float32) for name, tensor in found.items()}


def _fitting(theirs: Mapping[str, Tensor], model: CodecModel, folder: Path) -> dict[str, Tensor]:
    """Their weights under our names.

    Raises:
        ModelError: one is missing, unknown or of another shape.
    """
    wanted, ours = model.codec.autoencoder.state_dict(), dict[str, Tensor]()
    for name, tensor in theirs.items():
        renamed = our_name(name)
        if renamed in wanted and tensor.ndim == 4 and wanted[renamed].ndim == 2:
            tensor = tensor[:, :, 0, 0]  # attention was once written as convolutions of 1 x 1
        ours[renamed] = tensor
    if odd := sorted(ours.keys() ^ wanted.keys()):
        raise ModelError(f"{folder} is no AutoencoderKL of its config.json: {odd[0]!r} is on one side only.")
    for name, tensor in ours.items():
        if tensor.shape != wanted[name].shape:
            raise ModelError(
                f"{folder}: {name!r} has shape {tuple(tensor.shape)}, config.json asks for "
                f"{tuple(wanted[name].shape)}."
            )
    return ours


def our_name(name: str) -> str:
    """The name of one of their weights in our autoencoder."""
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    return name
