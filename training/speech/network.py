"""transformers' Whisper with a pass of our own for training: fused attention, blocks that can be compiled. tests/test_speech.py holds it against transformers'."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import WhisperConfig, WhisperForConditionalGeneration

from .vocabulary import SOUNDS


def _attend(attention: Any, states: Tensor, source: Tensor, causal: bool) -> Tensor:
    batch, length, width = states.shape
    heads = attention.num_heads

    def split(tensor: Tensor) -> Tensor:
        return tensor.view(batch, -1, heads, width // heads).transpose(1, 2)

    query, key, value = split(attention.q_proj(states)), split(attention.k_proj(source)), split(attention.v_proj(source))
    found = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
    return attention.out_proj(found.transpose(1, 2).reshape(batch, length, width))


def _kept(layer: Any, found: Tensor) -> Tensor:
    return F.dropout(found, layer.dropout, layer.training)


def encoder_block(layer: Any, states: Tensor) -> Tensor:
    """One layer of the encoder."""
    normal = layer.self_attn_layer_norm(states)
    states = states + _kept(layer, _attend(layer.self_attn, normal, normal, False))
    return states + _kept(layer, layer.fc2(F.gelu(layer.fc1(layer.final_layer_norm(states)))))


def decoder_block(layer: Any, states: Tensor, heard: Tensor) -> Tensor:
    """One layer of the decoder."""
    normal = layer.self_attn_layer_norm(states)
    states = states + _kept(layer, _attend(layer.self_attn, normal, normal, True))
    states = states + _kept(layer, _attend(layer.encoder_attn, layer.encoder_attn_layer_norm(states), heard, False))
    return states + _kept(layer, layer.fc2(F.gelu(layer.fc1(layer.final_layer_norm(states)))))


class Network(nn.Module):
    """The model, and an output of the encoder (CTC) that only training has."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.model = WhisperForConditionalGeneration(config).float()
        self.auxiliary = nn.Linear(config.d_model, len(SOUNDS))
        # transformers draws all weights at 0.02: the sound would then be 3 % of what the first layer sees, the positions the rest. So both outputs deviate by 1.
        for convolution, gain in ((self.model.model.encoder.conv1, 1.7), (self.model.model.encoder.conv2, 1.3)):
            nn.init.normal_(convolution.weight, std=gain * (2 / convolution.weight[0].numel()) ** 0.5)
        self.encoder_block: Any = encoder_block
        self.decoder_block: Any = decoder_block

    def listen(self, features: Tensor, first: int = 0) -> Tensor:
        """(batch, 80, frames) to (batch, frames / 2, width), as the part of 30 s that begins at the position `first`."""
        encoder = self.model.model.encoder
        states = F.gelu(encoder.conv2(F.gelu(encoder.conv1(features)))).transpose(1, 2)
        states = states + encoder.embed_positions.weight[first : first + states.shape[1]]
        for layer in encoder.layers:
            states = self.encoder_block(layer, states)
        return encoder.layer_norm(states)

    def write(self, ids: Tensor, heard: Tensor) -> Tensor:
        """Logits of every next token."""
        decoder = self.model.model.decoder
        states = decoder.embed_tokens(ids) + decoder.embed_positions.weight[: ids.shape[1]]
        for layer in decoder.layers:
            states = self.decoder_block(layer, states, heard)
        return F.linear(decoder.layer_norm(states), decoder.embed_tokens.weight)

    def spoken(self, heard: Tensor) -> Tensor:
        """Log-probabilities of what is heard at every 20 ms, the blank first; float32."""
        return self.auxiliary(heard).float().log_softmax(-1)


def save(weights: dict[str, Tensor], settings: Path, out: Path) -> Path:
    """A model folder with the settings and the tokenizer of the folder `settings`; returns the file of weights, one because they are fewer than 16 MiB."""
    out.mkdir(parents=True, exist_ok=True)
    for path in settings.iterdir():
        if path.suffix == ".json":
            shutil.copy(path, out / path.name)
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
    return out / "model.safetensors"


@torch.no_grad()
def greedy(network: Network, heard: Tensor, prompt: list[int], end: int, longest: int) -> list[list[int]]:
    """The likeliest tokens of each sound, without a cache: for quick looks during training."""
    ids = torch.tensor([prompt], device=heard.device).expand(heard.shape[0], -1)
    done = torch.zeros(heard.shape[0], dtype=torch.bool, device=heard.device)
    while ids.shape[1] < len(prompt) + longest and not bool(done.all()):
        following = network.write(ids, heard)[:, -1].float().argmax(-1).masked_fill(done, end)
        done = done | (following == end)
        ids = torch.cat([ids, following[:, None]], 1)
    return [[token for token in row if token != end] for row in ids[:, len(prompt) :].tolist()]
