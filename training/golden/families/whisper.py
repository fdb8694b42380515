"""Whisper: random models of both feature sizes and one for English alone, answered by transformers; quantised ones, converted
and answered by mlx-audio. Their golden.json has no conversations: `sounds` says what was heard.
"""

import contextlib
import importlib.metadata
import io
import json
import shutil
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file

from ..paths import FIXTURES
from ..whisper_answers import COPIES, ENGLISH, MULTILINGUAL, Reference, SteadyPaths, Unclear, tensors_of
from ..whisper_models import WhisperModel, samples, write_model

_SEED_TRIES = 2000
_GREEDY = 16
_LEAST_GAP = 1e-3
_VARIANTS = [
    WhisperModel("whisper"),
    WhisperModel("whisper-128-bf16", mels=128, dtype=torch.bfloat16, no_speech="<|nospeech|>"),
    WhisperModel("whisper-en", multilingual=False),
]


@torch.no_grad()
def _attempt(variant: WhisperModel, folder: Path, seed: int) -> tuple[dict, dict]:
    reference = Reference(variant, folder, write_model(variant, folder, seed))
    features = reference.features(samples())
    start, greedy = reference.window()
    if len(greedy) < _GREEDY or len(set(greedy)) < _GREEDY // 2:
        raise Unclear
    golden = {
        "decoder_input_ids": [*start, *greedy[:_GREEDY]],
        "prompt_length": len(start),
        "greedy": greedy,
        "no_speech_prob": reference.no_speech(features),
        "language": reference._spelt(reference.model.detect_language(features)) if variant.multilingual else "en",
        "copies": COPIES,
    }
    with SteadyPaths():
        golden["long"] = [reference.long(case) for case in (MULTILINGUAL if variant.multilingual else ENGLISH)]
    return golden, tensors_of(reference, features, golden["decoder_input_ids"])


def _write(folder: Path, golden: dict, tensors: dict[str, np.ndarray], about: dict) -> int:
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, folder / "golden.safetensors")
    text = json.dumps({**about, "model_type": "whisper", "computed_dtype": "float32", "cases": [], "sounds": golden}, indent=1, ensure_ascii=False)
    (folder / "golden.json").write_text(text + "\n", encoding="utf-8")
    return about["seed"]


def _build(variant: WhisperModel) -> int:
    folder = FIXTURES / variant.name
    for seed in range(_SEED_TRIES):
        with contextlib.suppress(Unclear):
            golden, tensors = _attempt(variant, folder / "model", seed)
            break
    else:
        raise RuntimeError(f"{variant.name}: none of {_SEED_TRIES} seeds gives clear answers")
    about = {"oracle": f"transformers {transformers.__version__}", "stored_dtype": str(variant.dtype).split(".")[-1], "seed": seed}
    return _write(folder, golden, tensors, about)


def _convert(source: Path, folder: Path, bits: int, names: str) -> None:
    from mlx_audio.convert import convert

    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.redirect_stdout(io.StringIO()):
        convert(str(source), str(folder), quantize=True, q_bits=bits, q_group_size=32, dtype="float32", model_domain="stt")
    (folder / "README.md").unlink(missing_ok=True)
    if names == "mlx-whisper":
        _rename(folder)


def _rename(folder: Path) -> None:
    """The folder as mlx-whisper's own converter writes it: one file called weights, and OpenAI's names in config.json."""
    (folder / "model.safetensors").rename(folder / "weights.safetensors")
    (folder / "model.safetensors.index.json").unlink(missing_ok=True)
    config = json.loads((folder / "config.json").read_text())
    own = {
        "model_type": "whisper", "n_mels": config["num_mel_bins"], "n_audio_ctx": config["max_source_positions"],
        "n_audio_state": config["d_model"], "n_audio_head": config["encoder_attention_heads"], "n_audio_layer": config["encoder_layers"],
        "n_vocab": config["vocab_size"], "n_text_ctx": config["max_target_positions"], "n_text_state": config["d_model"],
        "n_text_head": config["decoder_attention_heads"], "n_text_layer": config["decoder_layers"],
        "quantization": {key: config["quantization"][key] for key in ("group_size", "bits")},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(own, indent=4) + "\n")


def _quantised_attempt(folder: Path, bits: int, names: str, seed: int) -> tuple[dict, dict]:
    import mlx.core as mx
    from mlx_audio.stt.models.whisper.whisper import Model
    from transformers import WhisperFeatureExtractor

    with tempfile.TemporaryDirectory() as source:
        ids = write_model(WhisperModel("whisper"), Path(source), seed)
        _convert(Path(source), folder, bits, names)
    model = Model.from_pretrained(str(folder), dtype=mx.float32)
    extract = WhisperFeatureExtractor.from_pretrained(folder)
    features = extract(samples(), sampling_rate=16_000, return_tensors="np").input_features
    encoded = model.encoder(mx.array(features).transpose(0, 2, 1))
    start = [ids[name] for name in ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"]]
    greedy = []
    for _ in range(_GREEDY):
        logits = np.array(model.decoder(mx.array([start + greedy]), encoded)[0][0])
        second, first = np.sort(logits[-1])[-2:]
        if first - second < _LEAST_GAP:
            raise Unclear
        greedy.append(int(logits[-1].argmax()))
    if len(set(greedy)) < _GREEDY // 2:
        raise Unclear
    rows = np.arange(0, 1500, 50, dtype=np.int32)
    golden = {"decoder_input_ids": start + greedy[:-1], "prompt_length": len(start), "greedy": greedy}
    return golden, {"logits": logits, "encoder_rows": rows, "encoder_output": np.array(encoded[0])[rows]}


def _build_quantised(name: str, bits: int, names: str) -> int:
    folder = FIXTURES / name
    for seed in range(_SEED_TRIES):
        with contextlib.suppress(Unclear):
            golden, tensors = _quantised_attempt(folder / "model", bits, names, seed)
            break
    else:
        raise RuntimeError(f"{name}: none of {_SEED_TRIES} seeds gives clear answers")
    return _write(folder, golden, tensors, {"oracle": f"mlx-audio {importlib.metadata.version('mlx-audio')}", "stored_dtype": "float32", "seed": seed})


BUILDERS = {variant.name: partial(_build, variant) for variant in _VARIANTS} | {
    "whisper-4bit": partial(_build_quantised, "whisper-4bit", 4, "mlx-whisper"),
    "whisper-8bit": partial(_build_quantised, "whisper-8bit", 8, "mlx-audio"),
}
