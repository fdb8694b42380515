"""What transformers and mlx-audio hear with the embedded speech model, in recorded speech (test/golden/fixtures/embedded/sounds)."""

import importlib.metadata
import json

import torch
import transformers
from mlx_audio.stt.utils import load_model
from transformers import WhisperForConditionalGeneration, WhisperProcessor

from .. import sounds
from ..paths import EMBEDDED, HEAR, SPEECH

_LEAST_GAP = 0.05  # of logits of about 10: weights stay in bfloat16 in our engine


@torch.no_grad()
def build() -> int:
    processor = WhisperProcessor.from_pretrained(HEAR)
    model = WhisperForConditionalGeneration.from_pretrained(HEAR, dtype=torch.float32).eval()
    other = load_model(str(HEAR))
    heard = []
    for path in sorted(SPEECH.iterdir()):
        inputs = processor(sounds.read(path), sampling_rate=sounds.RATE, return_tensors="pt")
        out = model.generate(**inputs, return_timestamps=True, return_dict_in_generate=True, output_scores=True, force_unique_generate_call=True, temperature=0.0)
        for score in out.scores:
            first, second = score.flatten().topk(2).values
            if first - second < _LEAST_GAP:
                raise RuntimeError(f"{path.name}: a near tie makes a poor fixture")
        tokens = out.sequences[0].tolist()
        heard.append({
            "sound": path.name,
            "token_ids": [token for token in tokens if token not in processor.tokenizer.all_special_ids],
            "text": processor.decode(tokens, skip_special_tokens=True).strip(),
            "mlx_audio_text": other.generate(str(path), temperature=0.0, verbose=False).text.strip(),
        })  # fmt: skip
        print(heard[-1], flush=True)
    about = {"oracle": f"transformers {transformers.__version__}, mlx-audio {importlib.metadata.version('mlx-audio')}", "model": "models/hear"}
    (EMBEDDED / "hear.json").write_text(json.dumps({**about, "heard": heard}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


BUILDERS = {"hear": build}
