"""Phi-3-Vision, by mlx-vlm. Its tower's sizes stand in mlx-vlm's code, where they are made small here; patches and pixels stay as they are.
Besides with the published template, which takes text only, and a tokenizer that begins every text with a mark."""

import importlib.metadata
import json
import re
import shutil
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import mlx.core as mx
import numpy as np
import torch
from mlx_vlm.models.phi3_v import Model, ModelConfig, Phi3VImageProcessor, VisionModel

from .. import models, small_tokenizer
from ..cases import SCALED_CASES, VISION_CASES, Case
from ..fixture import LEAST_GAP, Fixture, gap
from ..paths import FIXTURES
from ..prompt import Prompt, _pictures, tokenizer
from ..random_models import NEW_TOKENS, SEED_TRIES
from ..reference import Answer
from ..small_models import _name_markers, _values

_MARKERS = {"<|im_end|>": "<|end|>", "<|im_start|>": "<|user|>", "<|vision_start|>": "<|assistant|>", "<|vision_end|>": "<|system|>"}
_NAMES = SimpleNamespace(markers=_MARKERS, bos="<|endoftext|>", eos="<|end|>")
_TEMPLATE = """{%- set ns = namespace(pictures=0) %}
{%- for message in messages %}
    {{- '<|' + message.role + '|>\\n' }}
    {%- if message.content is string %}
        {{- message.content }}
    {%- else %}
        {%- for part in message.content %}
            {%- if part.type == 'image' %}
                {%- set ns.pictures = ns.pictures + 1 %}
                {{- '<|image_' ~ ns.pictures ~ '|>\\n' }}
            {%- else %}
                {{- part.text }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {{- '<|end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>\\n' }}
{%- endif %}
"""
_PUBLISHED_TEMPLATE = """{% for message in messages %}{{'<|' + message['role'] + '|>' + '\\n' + message['content'] + '<|end|>\\n' }}{% endfor %}{% if add_generation_prompt and messages[-1]['role'] != 'assistant' %}{{- '<|assistant|>\\n' -}}{% endif %}"""
_TAG = re.compile(r"<\|image_(\d+)\|>")
# One id more than the tokenizer has: it stands for a picture's rows, where the reference has negative numbers.
_VOCAB = small_tokenizer.VOCAB_SIZE + 1
# With three tiles there is a single column of them in every picture here. mlx-vlm orders several columns otherwise than the model was trained.
_CROPS = 3
_TOWER = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 2, "layer_norm_eps": 1e-5}
_CASES = [*VISION_CASES, *(case for case in SCALED_CASES if case.name == "tall")]
_KEPT_FEATURES = 40


def _config() -> dict:
    # Text stays below the original length and pictures go beyond it: both lists of factors are used.
    return {
        "architectures": ["Phi3VForCausalLM"],
        "model_type": "phi3_v",
        "torch_dtype": "float32",
        "vocab_size": _VOCAB,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 4096,
        "original_max_position_embeddings": 256,
        "rope_theta": 10000.0,
        "rope_scaling": {
            "type": "su",
            "short_factor": [1.0 + 0.05 * i for i in range(8)],
            "long_factor": [1.0 + 1.5 * i for i in range(8)],
        },
        "sliding_window": 4096,
        "tie_word_embeddings": False,
        "vision_config": _TOWER,
        "img_processor": {"name": "clip_vision_model", "model_name": "openai/clip-vit-large-patch14-336", "num_img_tokens": 144},
        "embd_layer": {
            "embedding_cls": "image",
            "hd_transform_order": "sub_glb",
            "projection_cls": "mlp",
            "use_hd_transform": True,
            "with_learnable_separator": True,
        },
    }


def _small_model(config: dict) -> Model:
    sizes = VisionModel.CLIP_VIT_LARGE_PATCH14_336_CONFIG
    tower = SimpleNamespace(**{**vars(sizes), **_TOWER})
    VisionModel.CLIP_VIT_LARGE_PATCH14_336_CONFIG = tower
    try:
        model = Model(ModelConfig.from_dict(config))
    finally:
        VisionModel.CLIP_VIT_LARGE_PATCH14_336_CONFIG = sizes
    vision, width = model.model.vision_embed_tokens, _TOWER["hidden_size"]
    vision.image_dim_out = width
    vision.glb_GN, vision.sub_GN = mx.zeros([1, 1, 4 * width]), mx.zeros([1, 1, 1, 4 * width])
    vision.img_projection[0].weight = mx.zeros([config["hidden_size"], 4 * width])
    return model


def _begin_with_mark(folder: Path, ids: dict[str, int]) -> None:
    """Let the tokenizer put its first special token before every text."""
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    mark = _NAMES.bos
    pieces = [{"SpecialToken": {"id": mark, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    content["post_processor"] = {
        "type": "TemplateProcessing",
        "single": pieces,
        "pair": [*pieces, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {mark: {"id": mark, "ids": [ids[mark]], "tokens": [mark]}},
    }
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _write(folder: Path, seed: int, published: bool) -> Model:
    """Make the model folder anew, with the hub's names and shapes, and give the same model of mlx-vlm."""
    from mlx.utils import tree_flatten

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    small_tokenizer.build(folder)
    ids = _name_markers(folder, _NAMES)
    (folder / "chat_template.jinja").write_text(_PUBLISHED_TEMPLATE if published else _TEMPLATE, encoding="utf-8")
    if published:
        _begin_with_mark(folder, ids)
    config = {**_config(), "eos_token_id": ids["<|end|>"], "bos_token_id": ids["<|endoftext|>"]}
    models._write_json(folder / "config.json", config)
    models._write_json(folder / "generation_config.json", {"do_sample": False, "eos_token_id": ids["<|end|>"]})
    models._write_json(folder / "preprocessor_config.json", {"num_crops": _CROPS, "num_img_tokens": 144})
    model = _small_model(config)
    stored, loaded = {}, []
    for name, array in sorted(tree_flatten(model.parameters())):
        shape = tuple(array.shape)
        kernel = name.endswith("patch_embedding.weight")
        values = _values(name, (shape[0], shape[3], *shape[1:3]) if kernel else shape, seed)
        if name.endswith("_GN"):
            values = 0.5 * _values("separator", shape[-1:], seed).reshape(shape) + len(shape) / 10
        values = np.ascontiguousarray(values, dtype=np.float32)
        stored[name] = torch.from_numpy(values)
        loaded.append((name, mx.array(values.transpose(0, 2, 3, 1) if kernel else values)))
    models._save_weights(folder, stored, shards=1)
    model.load_weights(loaded)
    return model


def _tagged(messages: list[dict]) -> list[dict]:
    """The messages as callers of the published processor write them: text with numbered tags."""
    number, tagged = 0, []
    for message in messages:
        content = message["content"]
        if not isinstance(content, str):
            texts = []
            for part in content:
                number += part["type"] == "image"
                texts.append(f"<|image_{number}|>\n" if part["type"] == "image" else part["text"])
            content = "".join(texts)
        tagged.append(message | {"content": content})
    return tagged


def _prepare(folder: Path, case: Case, published: bool = False) -> tuple[str, list[int], dict[str, mx.array]]:
    """Pieces of text are encoded one by one, as the published processor does; ids of pictures' rows are negative."""
    messages = _tagged(case.messages) if published else case.messages
    text = tokenizer(folder).apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    pictures = _pictures(case)
    if not pictures:
        return text, tokenizer(folder)(text).input_ids, {}
    processor = Phi3VImageProcessor(num_crops=_CROPS)
    ids = []
    for index, piece in enumerate(_TAG.split(text)):
        if index % 2:
            ids += [-int(piece)] * processor.calc_num_image_tokens(pictures[int(piece) - 1])
        else:
            ids += tokenizer(folder)(piece, add_special_tokens=index == 0).input_ids
    return text, ids, dict(processor(pictures))


def _answer(model: Model, ids: list[int], pixels: dict[str, mx.array], special: set[int]) -> Answer | None:
    """None when a greedy token is a marker or a near tie, or they hardly vary: such a model makes a poor fixture."""

    def logits(tokens: list[int]) -> np.ndarray:
        return np.array(model(mx.array([tokens]), **pixels).logits[0])

    first = logits(ids)
    tokens, last = list(ids), first
    for _ in range(NEW_TOKENS):
        token = int(last[-1].argmax())
        if token in special or gap(last) < LEAST_GAP:
            return None
        tokens.append(token)
        last = logits(tokens)
    greedy = tokens[len(ids) :]
    if len(set(greedy)) < NEW_TOKENS // 2:
        return None
    tensors = {}
    if pixels:
        embeddings = np.array(model.get_input_embeddings(mx.array([ids]), **pixels).inputs_embeds[0])
        features = embeddings[np.array(ids) < 0]
        rows = np.unique(np.linspace(0, len(features) - 1, _KEPT_FEATURES).astype(int))
        tensors = {"vision_output": features[rows], "vision_rows": rows.astype(np.int32)}
    return Answer(first, greedy, tensors=tensors)


def _attempt(folder: Path, seed: int, published: bool) -> list | None:
    model = _write(folder, seed, published)
    tokenizer.cache_clear()
    special = {*tokenizer(folder).added_tokens_decoder, _VOCAB - 1}
    done = []
    for case in VISION_CASES if published else _CASES:
        text, ids, pixels = _prepare(folder, case, published)
        answer = _answer(model, ids, pixels, special)
        if answer is None:
            return None
        done.append((case, Prompt(text, [id if id >= 0 else _VOCAB - 1 for id in ids], None, None, None), answer))
    return done


def build(name: str, published: bool = False) -> int:
    folder = FIXTURES / name
    for seed in range(SEED_TRIES):
        done = _attempt(folder / "model", seed, published)
        if done:
            break
    else:
        raise RuntimeError(f"{name}: none of {SEED_TRIES} seeds gives clear greedy answers")
    about = {
        "oracle": f"mlx-vlm {importlib.metadata.version('mlx-vlm')}",
        "model_type": "phi3_v",
        "stored_dtype": "float32",
        "computed_dtype": "float32",
        "seed": seed,
    }
    fixture = Fixture(folder, about, folder / "model")
    for case, prompt, answer in done:
        fixture.add(case, prompt, answer, rows=12)
    fixture.write()
    return seed


BUILDERS = {"phi3-v": partial(build, "phi3-v"), "phi3-v-published": partial(build, "phi3-v-published", published=True)}
