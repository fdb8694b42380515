"""What surrounds Whisper's decoder, apart from any model: which tokens may follow which, word times from attention, words from
tokens and how far text can be compressed; answered by transformers and Python's zlib. With the sound that the models hear.
"""

import json
import shutil
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file
from transformers import GenerationConfig, WhisperTokenizer
from transformers.generation.logits_process import WhisperTimeStampLogitsProcessor
from transformers.models.whisper.generation_whisper import _dynamic_time_warping, _median_filter
from transformers.models.whisper.tokenization_whisper import LANGUAGES, _combine_tokens_into_words

from ..paths import FIXTURES
from ..whisper_models import WhisperModel, write_model, write_sound

_EOT, _NO_TIMESTAMPS, _VOCABULARY, _INITIAL = 20, 28, 60, 10
_FIRST = _NO_TIMESTAMPS + 1
_WORDS = [
    ("en", ' Hello, "world" (it\'s me) - again... ¿qué? "Yes!" [noise] don\'t'),
    ("en", " naïve café ☕ costs £3.50; e-mail: a@b.c"),
    ("de", " „Größe“ ist schön, oder?"),
    ("ja", "今日は、良い「天気」です。"),
    ("zh", "你好，世界！OK 吗？"),
    ("yue", "佢哋喺度。"),
    ("th", "สวัสดีครับ"),
]
_TEXTS = [
    " And so my fellow Americans, ask not what your country can do for you.",
    " no no no no no no no no no no no no no no no no no no no no no no no no",
    "今日は良い天気です。" * 12,
    " a",
]


def _histories(random: np.random.Generator) -> list[list[int]]:
    """Tokens that may have been generated: none, one timestamp, pairs, text after either, the last timestamp there is."""
    text = lambda: int(random.integers(0, _EOT))
    stamp = lambda i: _FIRST + i
    fixed = [
        [], [stamp(0)], [stamp(5)], [stamp(0), text()], [stamp(3), text(), text()], [stamp(3), text(), stamp(9)],
        [stamp(3), text(), stamp(9), stamp(9)], [stamp(3), text(), stamp(9), stamp(11)], [stamp(3), text(), stamp(9), stamp(11), text()],
        [stamp(0), text(), stamp(30)], [stamp(0), text(), stamp(30), stamp(30)], [stamp(0), text(), stamp(30), stamp(30), text()], [text()], [text(), stamp(4)],
    ]  # fmt: skip
    return fixed * 3


def _rules(random: np.random.Generator) -> tuple[list[list[int]], np.ndarray, np.ndarray]:
    processor = WhisperTimeStampLogitsProcessor(
        GenerationConfig(no_timestamps_token_id=_NO_TIMESTAMPS, eos_token_id=_EOT, bos_token_id=_EOT, max_initial_timestamp_index=_INITIAL), begin_index=2
    )
    histories = _histories(random)
    logits = random.normal(size=(len(histories), _VOCABULARY)).astype(np.float32) * 2
    # A third leans to text, a third to timestamps.
    third = len(histories) // 3
    logits[:third, :_EOT] += 3
    logits[third : 2 * third, _FIRST:] += 3
    allowed = [
        torch.isfinite(processor(torch.tensor([[_EOT + 1, _EOT + 2, *history]]), torch.tensor(row[None]))[0]).numpy()
        for history, row in zip(histories, logits)
    ]
    return histories, logits, np.stack(allowed).astype(np.uint8)


def _alignment(random: np.random.Generator, heads: int, rows: int, columns: int) -> tuple[np.ndarray, list[int]]:
    """Random attention that moves along the sound, and the first step of each row on the best path."""
    centre = np.linspace(0, columns, rows)[None, :, None] + random.normal(size=(heads, rows, 1)) * columns / 10
    scores = 2 * random.normal(size=(heads, rows, columns)) - ((np.arange(columns) - centre) / columns * 6) ** 2
    weights = torch.softmax(torch.tensor(scores, dtype=torch.float32), -1)
    std, mean = torch.std_mean(weights, dim=-2, keepdim=True, unbiased=False)
    smooth = _median_filter((weights - mean) / std, 7).mean(dim=0)
    text, time = _dynamic_time_warping(-smooth.double().numpy())
    return weights.numpy(), time[np.pad(np.diff(text), (1, 0), constant_values=1).astype(bool)].tolist()


def _words(folder: Path) -> list[dict]:
    write_model(WhisperModel("words"), folder, 0)
    tokenizer = WhisperTokenizer.from_pretrained(folder)
    found = []
    for language, text in _WORDS:
        tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
        words, _, indices = _combine_tokens_into_words(tokenizer, tokens, LANGUAGES[language])
        found.append({"language": language, "tokens": tokens, "words": [{"text": word, "indices": own} for word, own in zip(words, indices)]})
    return found


def _build() -> int:
    folder = FIXTURES / "transcribe"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    write_sound(folder / "sound.wav")
    random = np.random.default_rng(7)
    histories, logits, allowed = _rules(random)
    tensors, alignments = {"rules_logits": logits, "rules_allowed": allowed}, []
    for i, (heads, rows, columns) in enumerate([(3, 12, 60), (1, 5, 200), (2, 9, 4), (4, 30, 31), (1, 1, 20), (2, 4, 3)]):
        tensors[f"alignment_{i}"], times = _alignment(random, heads, rows, columns)
        alignments.append(times)
    with tempfile.TemporaryDirectory() as model:
        words = _words(Path(model))
    golden = {
        "oracle": f"transformers {transformers.__version__}",
        "cases": [],
        "rules": {
            "end_of_text": _EOT, "first_timestamp": _FIRST, "suppressed": [_NO_TIMESTAMPS],
            "max_initial_timestamp": _INITIAL, "histories": histories,
        },
        "alignments": alignments,
        "words": words,
        "compression": [{"text": text, "ratio": len(text.encode()) / len(zlib.compress(text.encode()))} for text in _TEXTS],
    }  # fmt: skip
    save_file(tensors, folder / "golden.safetensors")
    (folder / "golden.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 7


BUILDERS = {"transcribe": _build}
