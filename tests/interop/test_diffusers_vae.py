"""Autoencoders of diffusers, with random weights, read into ours: the same latents, the same pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from unfog.errors import ModelError
from unfog.interop.diffusers_vae import is_vae_folder, our_name, read_vae
from unfog.model import load_codec

SMALL: dict[str, Any] = {
    "block_out_channels": (32, 64),
    "down_block_types": ("DownEncoderBlock2D",) * 2,
    "up_block_types": ("UpDecoderBlock2D",) * 2,
    "scaling_factor": 0.5,
}
CASES: list[dict[str, Any]] = [
    {},
    {"use_quant_conv": False, "use_post_quant_conv": False, "latent_channels": 16, "shift_factor": 0.1},
    {"mid_block_add_attention": False, "layers_per_block": 2, "use_quant_conv": False},
    {
        "block_out_channels": (16, 32, 32),
        "down_block_types": ("DownEncoderBlock2D",) * 3,
        "up_block_types": ("UpDecoderBlock2D",) * 3,
        "norm_num_groups": 8,
        "in_channels": 1,
        "out_channels": 1,
    },
]


def made(folder: Path, options: dict[str, Any], **saving: Any) -> Any:
    """An autoencoder of diffusers, saved."""
    diffusers = pytest.importorskip("diffusers")
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKL(**{**SMALL, **options}).eval()
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    vae.save_pretrained(folder, **saving)
    return vae


@pytest.mark.parametrize("options", CASES)
@torch.no_grad()
def test_the_same_latents_and_pictures(tmp_path: Path, options: dict[str, Any]) -> None:
    vae = made(tmp_path / "vae", options)
    assert is_vae_folder(tmp_path) and is_vae_folder(tmp_path / "vae")  # also where a pipeline holds it
    model = read_vae(tmp_path)
    x = torch.rand(2, vae.config.in_channels, 32, 48) * 2 - 1
    theirs = vae.encode(x).latent_dist
    mean, log_variance = model.codec.autoencoder.moments(x)
    torch.testing.assert_close(mean, theirs.mean, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(log_variance, theirs.logvar, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        model.codec.autoencoder.decode(mean), vae.decode(mean).sample, rtol=1e-4, atol=1e-4
    )
    raw = torch.randint(0, 256, (1, vae.config.in_channels, 16, 16), dtype=torch.uint8)
    kept = vae.encode(raw / 127.5 - 1).latent_dist.mean
    scaled = (kept - (vae.config.shift_factor or 0)) * vae.config.scaling_factor
    torch.testing.assert_close(model.codec.encode(raw), scaled, rtol=1e-4, atol=1e-4)


def test_in_several_files_and_back_from_a_folder_of_ours(tmp_path: Path) -> None:
    made(tmp_path / "vae", {}, max_shard_size="100KB")
    assert (tmp_path / "vae" / "diffusion_pytorch_model.safetensors.index.json").is_file()
    model = read_vae(tmp_path / "vae")
    fingerprint = model.save(tmp_path / "ours")
    assert load_codec(tmp_path / "ours").fingerprint() == fingerprint
    pictures = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    assert model.reconstruct(pictures).shape == pictures.shape


def test_old_names_of_attention() -> None:
    assert (
        our_name("encoder.mid_block.attentions.0.proj_attn.weight") == "encoder.middle.attention.out.weight"
    )
    assert our_name("decoder.up_blocks.1.upsamplers.0.conv.bias") == "decoder.levels.1.turn.mix.bias"


def test_what_is_no_such_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        read_vae(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"_class_name": "VQModel", "block_out_channels": [32]}))
    with pytest.raises(ModelError, match="VQModel"):
        read_vae(tmp_path)
    path.write_text(json.dumps({"block_out_channels": [32]}))
    with pytest.raises(ModelError, match="save_pretrained"):
        read_vae(tmp_path)
    index = tmp_path / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../secret.safetensors"}}))
    with pytest.raises(ModelError, match="outside"):
        read_vae(tmp_path)
