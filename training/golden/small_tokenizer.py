"""A byte-level BPE tokenizer of 384 entries, built like Qwen's: NFC, its split pattern, its markers."""

import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

VOCAB_SIZE = 384
# Qwen2.5 and Qwen3 split text with this pattern (tokenizer.json of their published models).
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
_PLAIN = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"]
_TEXT = """system user assistant tool You are a helpful assistant. What is in this picture? Describe the screen. Compare the two pictures.
Click the button, press OK, then close the window. Set the first name to Ada and the email to ada@example.org.
{"name": "computer_use", "arguments": {"action": "left_click", "coordinate": [500, 250]}} The quick brown fox jumps over the lazy dog.
She sells sea shells by the sea shore; the shells that she sells are sea shells, I am sure. Once more: what colour is the circle on the left?
Peter wants to know whether the weather will be fine. Doesn't it? They've said it's raining, and we'll see when we're there.
Überraschung, café, naïve, 日本語 and 中文 are text as well; so is 12,345.67 or x = y * (z + 1)."""


def build(folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json into `folder`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE - len(_SPECIAL) - len(_PLAIN),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[],
        show_progress=False,
    )
    tokenizer.train_from_iterator(_TEXT.splitlines(), trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in _SPECIAL])
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in _PLAIN])
    if tokenizer.get_vocab_size() != VOCAB_SIZE:
        raise RuntimeError(f"the tokenizer has {tokenizer.get_vocab_size()} entries, expected {VOCAB_SIZE}")
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 4096,
        "bos_token": None,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "unk_token": None,
        "add_bos_token": False,
        "clean_up_tokenization_spaces": False,
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "vision_start_token": "<|vision_start|>",
        "vision_end_token": "<|vision_end|>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def token_id(folder: Path, text: str) -> int:
    found = Tokenizer.from_file(str(folder / "tokenizer.json")).token_to_id(text)
    if found is None:
        raise KeyError(f"{text} is not in {folder}/tokenizer.json")
    return found
