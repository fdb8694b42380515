"""A forward pass of transformers' Qwen3-VL over packed rows: one picture and many independent prompts behind it, or prompts alone.

It uses the parameters of the transformers model itself; tests/test_packed.py shows that the logits are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention
from transformers import Qwen3VLForConditionalGeneration

from .geometry import PREFIX, Geometry, make_geometry

SHARED = 0
"""Segment of a picture's prefix: every segment of the row sees it. Padding is segment -1."""


def _rotate(x: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return torch.cat((-second, first), -1)


def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    """Qwen's normalisation, computed in float32."""
    wide = x.float()
    return weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6)).to(x.dtype)


def vision_block(x: Tensor, cosine: Tensor, sine: Tensor, heads: int, weights: tuple[Tensor, ...]) -> Tensor:
    """One block of the tower on (pictures, patches, hidden)."""
    norm1, norm1_bias, qkv, qkv_bias, out, out_bias, norm2, norm2_bias, up, up_bias, down, down_bias = weights
    batch, count, hidden = x.shape
    normed = F.layer_norm(x, (hidden,), norm1, norm1_bias, 1e-6)
    query, key, value = F.linear(normed, qkv, qkv_bias).view(batch, count, 3, heads, hidden // heads).permute(2, 0, 3, 1, 4).unbind(0)
    query = (query * cosine + _rotate(query) * sine).to(value.dtype)
    key = (key * cosine + _rotate(key) * sine).to(value.dtype)
    mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(batch, count, hidden)
    x = x + F.linear(mixed, out, out_bias).to(x.dtype)
    normed = F.layer_norm(x, (hidden,), norm2, norm2_bias, 1e-6)
    return x + F.linear(F.gelu(F.linear(normed, up, up_bias), approximate="tanh"), down, down_bias).to(x.dtype)


def text_block(x: Tensor, cosine: Tensor, sine: Tensor, mask: Any, heads: int, groups: int, weights: tuple[Tensor, ...]) -> Tensor:
    """One decoder layer on (rows, length, hidden). `mask`: a BlockMask (flex), a bool tensor, or None for plain causal attention."""
    norm1, wq, wk, wv, out, norm_q, norm_k, norm2, gate, up, down = weights
    batch, length, _ = x.shape
    size = norm_q.shape[0]
    normed = rms_norm(x, norm1)
    query = rms_norm(F.linear(normed, wq).view(batch, length, heads, size), norm_q).transpose(1, 2)
    key = rms_norm(F.linear(normed, wk).view(batch, length, groups, size), norm_k).transpose(1, 2)
    value = F.linear(normed, wv).view(batch, length, groups, size).transpose(1, 2)
    query = (query * cosine + _rotate(query) * sine).to(value.dtype)
    key = (key * cosine + _rotate(key) * sine).to(value.dtype)
    if isinstance(mask, BlockMask):
        mixed = flex_attention(query, key, value, block_mask=mask, enable_gqa=True)
    else:
        repeat = heads // groups
        mixed = F.scaled_dot_product_attention(query, key.repeat_interleave(repeat, 1), value.repeat_interleave(repeat, 1), attn_mask=mask, is_causal=mask is None)
    assert isinstance(mixed, Tensor)
    x = x + F.linear(mixed.transpose(1, 2).reshape(batch, length, heads * size), out).to(x.dtype)
    normed = rms_norm(x, norm2)
    return x + F.linear(F.silu(F.linear(normed, gate)) * F.linear(normed, up), down).to(x.dtype)


def _vision_weights(block: Any) -> tuple[Tensor, ...]:
    attention, mlp = block.attn, block.mlp
    return (
        block.norm1.weight, block.norm1.bias, attention.qkv.weight, attention.qkv.bias, attention.proj.weight, attention.proj.bias,
        block.norm2.weight, block.norm2.bias, mlp.linear_fc1.weight, mlp.linear_fc1.bias, mlp.linear_fc2.weight, mlp.linear_fc2.bias,
    )


def _text_weights(layer: Any) -> tuple[Tensor, ...]:
    attention, mlp = layer.self_attn, layer.mlp
    return (
        layer.input_layernorm.weight, attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight, attention.o_proj.weight,
        attention.q_norm.weight, attention.k_norm.weight, layer.post_attention_layernorm.weight, mlp.gate_proj.weight, mlp.up_proj.weight, mlp.down_proj.weight,
    )


class Packed(nn.Module):
    """The model with a head on the tower's patches for the auxiliary loss (`classes` a slot, four slots a patch)."""

    def __init__(self, model: Qwen3VLForConditionalGeneration, token_id: Callable[[str], int], classes: int, auxiliary_layer: int = 5) -> None:
        super().__init__()
        self.model = model
        self.vision_config, self.text_config = model.config.vision_config, model.config.text_config
        self.auxiliary = nn.Linear(self.vision_config.hidden_size, 4 * classes)
        nn.init.zeros_(self.auxiliary.weight)
        nn.init.zeros_(self.auxiliary.bias)
        self.auxiliary_layer = auxiliary_layer
        self.prefix_ids = [token_id(token) for token in PREFIX]
        self.vision_end = token_id("<|vision_end|>")
        self._geometries: dict[tuple[int, int], Geometry] = {}
        self.vision_block: Callable[..., Tensor] = vision_block
        self.text_block: Callable[..., Tensor] = text_block
        self.block_mask: Callable[..., BlockMask] = create_block_mask
        rope = self.text_config.rope_parameters
        half = self.text_config.head_dim // 2
        self.register_buffer("frequency", 1 / (rope["rope_theta"] ** (torch.arange(0, half).float() / half)), persistent=False)
        section = rope["mrope_section"]
        axis = torch.zeros(half, dtype=torch.long)
        axis[1 : section[1] * 3 : 3] = 1
        axis[2 : section[2] * 3 : 3] = 2
        self.register_buffer("axis", axis, persistent=False)

    def geometry(self, rows: int, columns: int) -> Geometry:
        """Cached positions for pictures of this many patches."""
        key = (rows, columns)
        if key not in self._geometries:
            side = int(self.vision_config.num_position_embeddings**0.5)
            head = self.vision_config.hidden_size // self.vision_config.num_heads
            self._geometries[key] = make_geometry(rows, columns, side, head, self.frequency.device)
        return self._geometries[key]

    @staticmethod
    def patches(pictures: Tensor) -> Tensor:
        """(pictures, height, width, 3) with levels 0…255 as (pictures, patches, 3 · 256), normalised and in merge order."""
        batch, height, width, _ = pictures.shape
        x = pictures.float() / 127.5 - 1
        x = x.view(batch, height // 32, 2, 16, width // 32, 2, 16, 3).permute(0, 1, 4, 2, 5, 7, 3, 6)
        return x.reshape(batch, (height // 16) * (width // 16), 768)

    def vision(self, pictures: Tensor) -> tuple[Tensor, list[Tensor], Tensor]:
        """(visual tokens, deepstack features, patches after the auxiliary layer) of uint8 or float pictures."""
        visual = self.model.model.visual
        geometry = self.geometry(pictures.shape[1] // 16, pictures.shape[2] // 16)
        weight = visual.patch_embed.proj.weight.sum(2).flatten(1)
        x = F.linear(self.patches(pictures), weight, visual.patch_embed.proj.bias)
        x = x + (visual.pos_embed.weight[geometry.grid_index] * geometry.grid_weight).sum(0).to(x.dtype)
        if torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))
        levels = list(self.vision_config.deepstack_visual_indexes)
        deep: list[Tensor] = []
        kept = x
        for index, block in enumerate(visual.blocks):
            x = self.vision_block(x, geometry.cosine, geometry.sine, self.vision_config.num_heads, _vision_weights(block))
            if index == self.auxiliary_layer:
                kept = x
            if index in levels:
                merger = visual.deepstack_merger_list[levels.index(index)]
                deep.append(merger(x.reshape(-1, x.shape[-1])).view(x.shape[0], -1, self.text_config.hidden_size))
        merged = visual.merger(x.reshape(-1, x.shape[-1])).view(x.shape[0], -1, self.text_config.hidden_size)
        return merged, deep, kept

    def _embed(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.model.model.language_model.embed_tokens.weight)

    def with_picture(self, visual: Tensor, ids: Tensor, position: Tensor, geometry: Geometry) -> tuple[Tensor, Tensor]:
        """(embeddings, positions (3, rows, length)) of rows that start with a picture; `ids` is what follows it."""
        rows = ids.shape[0]
        start = self._embed(torch.tensor(self.prefix_ids, device=ids.device))[None].expand(rows, -1, -1).to(visual.dtype)
        end = self._embed(torch.tensor([self.vision_end], device=ids.device))[None].expand(rows, -1, -1).to(visual.dtype)
        x = torch.cat([start, visual, end, self._embed(ids).to(visual.dtype)], 1)
        before = geometry.prefix[:, None].expand(-1, rows, -1)
        return x, torch.cat([before, (position + geometry.next_position)[None].expand(3, -1, -1)], -1)

    def decode(self, x: Tensor, position: Tensor, mask: Any, deep: list[Tensor], pictures: int) -> Tensor:
        """Last hidden states. The first `pictures` rows start with a picture whose deepstack features are `deep`."""
        language = self.model.model.language_model
        angle = torch.gather(position.permute(1, 2, 0).float(), 2, self.axis.view(1, 1, -1).expand(x.shape[0], x.shape[1], -1)) * self.frequency
        angle = torch.cat([angle, angle], -1)
        cosine, sine = angle.cos()[:, None], angle.sin()[:, None]
        first = len(PREFIX)
        for index, layer in enumerate(language.layers):
            x = self.text_block(x, cosine, sine, mask, self.text_config.num_attention_heads, self.text_config.num_key_value_heads, _text_weights(layer))
            if pictures and index < len(deep):
                last = first + deep[index].shape[1]
                added = x[:pictures, first:last] + deep[index].to(x.dtype)
                x = torch.cat([torch.cat([x[:pictures, :first], added, x[:pictures, last:]], 1), x[pictures:]], 0)
        return rms_norm(x, language.norm.weight)

    def segment_mask(self, segment: Tensor, flex: bool) -> Any:
        """Causal within a segment, and everything sees segment SHARED of its row. (rows, length) → BlockMask or bool."""
        rows, length = segment.shape
        if flex:

            def allowed(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
                return (query >= key) & ((segment[batch, key] == SHARED) | (segment[batch, query] == segment[batch, key]))

            return self.block_mask(allowed, rows, None, length, length, device=segment.device)
        causal = torch.tril(torch.ones(length, length, dtype=torch.bool, device=segment.device))[None]
        return (causal & ((segment[:, None] == SHARED) | (segment[:, :, None] == segment[:, None])))[:, None]

    def hidden(self, pictures: Tensor | None, ids: Tensor, segment: Tensor, position: Tensor, text_ids: Tensor | None, text_segment: Tensor | None, text_position: Tensor | None, flex: bool) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """(states behind the pictures, states of the text-only rows, patches for the auxiliary loss). Text-only rows are as long as the others whole."""
        assert pictures is not None
        geometry = self.geometry(pictures.shape[1] // 16, pictures.shape[2] // 16)
        visual, deep, kept = self.vision(pictures)
        x, place = self.with_picture(visual, ids, position, geometry)
        rows, before = ids.shape[0], geometry.tokens + len(PREFIX) + 1
        segments = torch.cat([torch.full((rows, before), SHARED, dtype=segment.dtype, device=segment.device), segment], 1)
        if text_ids is not None and text_segment is not None and text_position is not None:
            x = torch.cat([x, self._embed(text_ids).to(x.dtype)], 0)
            place = torch.cat([place, text_position[None].expand(3, -1, -1)], 1)
            segments = torch.cat([segments, text_segment], 0)
        states = self.decode(x, place, self.segment_mask(segments, flex), deep, rows)
        return states[:rows, before:], states[rows:] if text_ids is not None else None, kept

    def logits(self, states: Tensor) -> Tensor:
        """Tied output head."""
        return F.linear(states, self.model.model.language_model.embed_tokens.weight)
