"""A text model that gives embeddings, saved as sentence-transformers' models are: a bare decoder, whose weights have no prefix, and pooling in files of its own."""

import json
import shutil

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from ..paths import FIXTURES

READS_FIXTURES = True

_TEXTS = [
    "Hello, world!",
    "Instruct: find the passage that answers the question\nQuery: where is the save button?",
    "x",
    "word " * 600,  # longer than one piece of a prompt
]
_MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _build() -> int:
    source, folder = FIXTURES / "qwen3" / "model", FIXTURES / "embeddings"
    model = AutoModel.from_pretrained(source, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(source)
    model.save_pretrained(folder / "model")
    for name in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(source / name, folder / "model" / name)
    (folder / "model" / "modules.json").write_text(json.dumps(_MODULES, indent=1) + "\n")
    pooling = folder / "model" / "1_Pooling"
    pooling.mkdir()
    settings = {"word_embedding_dimension": model.config.hidden_size, "pooling_mode_mean_tokens": False, "pooling_mode_lasttoken": True, "include_prompt": True}
    (pooling / "config.json").write_text(json.dumps(settings, indent=1) + "\n")
    cases = []
    for text in _TEXTS:
        ids = tokenizer(text)["input_ids"]
        with torch.no_grad():
            hidden = model(torch.tensor([ids])).last_hidden_state[0].numpy().astype(np.float64)
        cases.append(
            {
                "text": text,
                "token_ids": ids,
                "last_token": _unit(hidden[-1]).tolist(),
                "last_token_16": _unit(hidden[-1][:16]).tolist(),
                "mean": hidden.mean(axis=0).tolist(),
                "first_token": hidden[0].tolist(),
            }
        )
    (folder / "golden.json").write_text(json.dumps({"oracle": "transformers", "cases": cases}, indent=1) + "\n")
    return 0


BUILDERS = {"embeddings": _build}
