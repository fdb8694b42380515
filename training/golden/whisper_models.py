"""Random Whisper models with a tokenizer of their own, and the sounds they hear."""

import json
import shutil
import wave
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

RATE = 16_000
CONTEXT = 64
_TIMESTAMPS = 1501
_LANGUAGES = ["en", "zh", "de", "es", "ja"]
_MERGES = ["t h", "Ġ t", "h e", "Ġ a", "i n", "r e", "o n", "e r", "Ġt he", "Ġ s", "a t", "n d", "Ġ w", "Ġ o", "o u", "i s"]


@dataclass(frozen=True)
class WhisperModel:
    """`no_speech` is spelt differently since large-v3; a model without `multilingual` is prompted with one token alone."""

    name: str
    mels: int = 80
    dtype: torch.dtype = torch.float32
    multilingual: bool = True
    no_speech: str = "<|nocaptions|>"


def sound() -> np.ndarray:
    """3.3 s: a rising chirp, two tones that fade, noise that swells."""
    time = np.arange(int(3.3 * RATE)) / RATE
    chirp = 0.4 * np.sin(2 * np.pi * (200 * time + 450 * time**2))
    tones = 0.3 * np.exp(-time) * (np.sin(2 * np.pi * 440 * time) + np.sin(2 * np.pi * 3000.5 * time))
    noise = 0.05 * time * np.random.default_rng(5).uniform(-1, 1, len(time))
    return np.round(np.clip(chirp + tones + noise, -1, 1) * 20_000).astype(np.int16)


def samples() -> np.ndarray:
    return sound().astype(np.float32) / np.float32(2**15)


def long_samples(copies: int) -> np.ndarray:
    """Copies of the sound, each half as loud as the one before, every fourth as loud as the first."""
    return np.concatenate([samples() * np.float32(0.5 ** (i % 4)) for i in range(copies)])


def write_sound(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(sound().astype("<i2").tobytes())


def _tokenizer(folder: Path, no_speech: str) -> dict[str, int]:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {text: i for i, text in enumerate(alphabet + [merge.replace(" ", "") for merge in _MERGES])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [tuple(merge.split(" ")) for merge in _MERGES]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{language}|>" for language in _LANGUAGES)]
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", no_speech, "<|notimestamps|>"]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])
    tokenizer.add_tokens([AddedToken(f"<|{i * 0.02:.2f}|>", normalized=False) for i in range(_TIMESTAMPS)])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "WhisperTokenizer", "eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    return {text: tokenizer.token_to_id(text) for text in special} | {"size": tokenizer.get_vocab_size(), "space": vocabulary["Ġ"]}


def _values(name: str, shape: tuple[int, ...], seed: int, eot: int) -> np.ndarray:
    """Random weights of a lively model, whose text tokens now and then win over all the timestamps together."""
    noise = np.random.default_rng([seed, zlib.crc32(name.encode())]).standard_normal(shape, dtype=np.float32)
    if name.endswith("bias"):
        return 0.1 * noise
    if "norm" in name:
        return 1 + 0.2 * noise
    if "embed_tokens" in name:
        return noise * np.where(np.arange(shape[0]) <= eot, 0.6, 0.33).astype(np.float32)[:, None]
    if "embed_positions" in name:
        return 3.0 * noise
    # Loud enough for what was heard and said before to outweigh the last token, whose embedding is also its row of the output.
    loudness = 3.0 if "encoder_attn" not in name and name.endswith(("out_proj.weight", "fc2.weight")) and "decoder" in name else 1.2
    return noise * np.float32((2.0 if "encoder_attn.k" in name or "encoder_attn.q" in name else loudness) / np.sqrt(np.prod(shape[1:])))


def write_model(variant: WhisperModel, folder: Path, seed: int) -> dict[str, int]:
    """Write a model folder as transformers would. Returns the ids of its special tokens."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ids = _tokenizer(folder, variant.no_speech)
    eot = ids["<|endoftext|>"]
    tokens = {"decoder_start_token_id": ids["<|startoftranscript|>"], "pad_token_id": eot, "bos_token_id": eot, "eos_token_id": eot}
    config = WhisperConfig(
        vocab_size=ids["size"], num_mel_bins=variant.mels, d_model=32, encoder_layers=2, decoder_layers=3,
        encoder_attention_heads=4, decoder_attention_heads=2, encoder_ffn_dim=128, decoder_ffn_dim=128,
        max_target_positions=CONTEXT, begin_suppress_tokens=[ids["space"], eot], **tokens,
    )  # fmt: skip
    config.architectures = ["WhisperForConditionalGeneration"]
    config.save_pretrained(folder)
    hidden = ["<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", variant.no_speech]
    many = {
        "lang_to_id": {f"<|{language}|>": ids[f"<|{language}|>"] for language in _LANGUAGES},
        "task_to_id": {task: ids[f"<|{task}|>"] for task in ["transcribe", "translate"]},
    }
    GenerationConfig(
        no_timestamps_token_id=ids["<|notimestamps|>"], is_multilingual=variant.multilingual, max_initial_timestamp_index=50,
        suppress_tokens=[1, 2, 7, *(ids[name] for name in hidden)], begin_suppress_tokens=[ids["space"], eot],
        alignment_heads=[[0, 1], [2, 0], [2, 1]], return_timestamps=False, max_length=CONTEXT,
        prev_sot_token_id=ids["<|startofprev|>"], **tokens, **(many if variant.multilingual else {}),
    ).save_pretrained(folder)  # fmt: skip
    WhisperFeatureExtractor(feature_size=variant.mels).save_pretrained(folder)
    model = WhisperForConditionalGeneration(config)
    made = {
        name: value if name == "model.encoder.embed_positions.weight" else torch.from_numpy(_values(name, tuple(value.shape), seed, eot))
        for name, value in sorted(model.state_dict().items())
        if name != "proj_out.weight"
    }
    weights = {name: value.to(variant.dtype).contiguous() for name, value in made.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return ids
