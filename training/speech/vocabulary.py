"""The model's folder but for its weights: a small byte-level vocabulary in Whisper's English-only layout, and the settings."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from random import Random

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor

from .texts import draw

TEXT_TOKENS = 768
TIMESTAMPS = 1501
CONTEXT = 384
_SPECIAL = ("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>")
END, START, PREVIOUS, NO_SPEECH, NO_TIMESTAMPS, FIRST_TIME = (TEXT_TOKENS + offset for offset in (0, 1, 6, 7, 8, 9))
SOUNDS = "_ abcdefghijklmnopqrstuvwxyz'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""CTC's signs, the blank first."""


def build(folder: Path, texts: int = 60_000, seed: int = 11) -> None:
    """Write tokenizer and settings; digits and letters of spelled words stay single."""
    folder.mkdir(parents=True, exist_ok=True)
    learnt = Tokenizer(models.BPE())
    learnt.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    rng = Random(seed)
    trainer = trainers.BpeTrainer(vocab_size=TEXT_TOKENS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    learnt.train_from_iterator((" " + draw(rng).written for _ in range(texts)), trainer)
    made = json.loads(learnt.to_str())["model"]
    tokenizer = Tokenizer(models.BPE(made["vocab"], [tuple(merge) for merge in made["merges"]]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in _SPECIAL])
    tokenizer.add_tokens([AddedToken(f"<|{index * 0.02:.2f}|>", normalized=False) for index in range(TIMESTAMPS)])
    found = tuple(tokenizer.token_to_id(text) for text in ("<|endoftext|>", "<|startoftranscript|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>", "<|0.00|>"))
    if found != (END, START, PREVIOUS, NO_SPEECH, NO_TIMESTAMPS, FIRST_TIME):
        raise RuntimeError(f"the vocabulary is not laid out as expected: {found}")
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    tokens = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "WhisperTokenizer", **tokens, "model_max_length": CONTEXT}, indent=2) + "\n")
    ids = {"decoder_start_token_id": START, "pad_token_id": END, "bos_token_id": END, "eos_token_id": END}
    settings = WhisperConfig(
        vocab_size=FIRST_TIME + TIMESTAMPS, num_mel_bins=80, d_model=192, encoder_layers=7, decoder_layers=2, encoder_attention_heads=3, decoder_attention_heads=3,
        encoder_ffn_dim=704, decoder_ffn_dim=704, max_target_positions=CONTEXT, begin_suppress_tokens=None, suppress_tokens=None, **ids,
    )  # fmt: skip
    settings.architectures = ["WhisperForConditionalGeneration"]
    settings.dtype = "bfloat16"
    settings.save_pretrained(folder)
    hidden = [TEXT_TOKENS + offset for offset in range(1, 8)]
    GenerationConfig(
        no_timestamps_token_id=NO_TIMESTAMPS, is_multilingual=False, max_initial_timestamp_index=TIMESTAMPS - 1, suppress_tokens=hidden, begin_suppress_tokens=[],
        alignment_heads=[[1, 0], [1, 1], [1, 2]], return_timestamps=False, max_length=CONTEXT, prev_sot_token_id=PREVIOUS, **ids,
    ).save_pretrained(folder)  # fmt: skip
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)


def text_ids(tokenizer: Tokenizer, text: str) -> list[int]:
    """A segment's text, which begins with a space as Whisper's do."""
    ids: list[int] = tokenizer.encode(" " + text).ids
    return ids


def sounds(spoken: str) -> list[int]:
    """What is heard, sign by sign: letters in lower case, those that are said by their names (^A) in upper case, a space between words."""
    plain = unicodedata.normalize("NFKD", spoken).encode("ascii", "ignore").decode()
    cased = re.sub(r"\^([A-Z])|([^^])", lambda found: found[1] or found[2].lower(), plain)
    return [SOUNDS.index(sign) for sign in re.sub(r"[^A-Za-z0-9']+", " ", cased).strip()]


def text_of(tokenizer: Tokenizer, ids: list[int]) -> str:
    """Without special tokens and timestamps."""
    found: str = tokenizer.decode([token for token in ids if token < END])
    return found.strip()
