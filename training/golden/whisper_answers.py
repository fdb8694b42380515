"""What transformers hears: features, the encoder's output, logits, and whole transcriptions with the times of their words."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizer
from transformers.models.whisper import generation_whisper
from transformers.models.whisper.tokenization_whisper import LANGUAGES, _combine_tokens_into_words

from .whisper_models import CONTEXT, RATE, WhisperModel, long_samples, samples

COPIES = 20
# Logits of about 10 differ by 1e-5 between implementations, and what is drawn of attention by some 1e-6.
_LEAST_GAP = 2e-4
_JITTER = 4e-6
_LEAST_SEGMENTS = 4
_NO_SKIP = {"no_speech_threshold": 1.0, "logprob_threshold": -1e9}


class Unclear(Exception):
    """A near tie, or a model that has little to say: it makes a poor fixture."""


@dataclass(frozen=True)
class Long:
    """One transcription of the long sound."""

    name: str
    language: str | None = None
    task: str | None = None
    prompt: str | None = None
    condition: bool = False
    skip: bool = False


MULTILINGUAL = [
    Long("translated", language="de", task="translate"),
    Long("conditioned on what came before", task="transcribe", prompt="the other one, is in", condition=True),
    Long("conditioned without a prompt", language="ja", task="transcribe", condition=True),
    Long("without what is no speech", language="es", task="transcribe", skip=True),
]
ENGLISH = [Long("English only"), Long("English only, conditioned", prompt="on the", condition=True)]


class Reference:
    def __init__(self, variant: WhisperModel, folder: Path, ids: dict[str, int]):
        self.variant, self.ids = variant, ids
        self.model = WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        self.extract = WhisperFeatureExtractor.from_pretrained(folder)
        self.tokenizer = WhisperTokenizer.from_pretrained(folder)
        self.eot, self.first_timestamp = ids["<|endoftext|>"], ids["<|notimestamps|>"] + 1

    def features(self, sound: np.ndarray) -> torch.Tensor:
        """Of 30 s, silence after the sound."""
        return self.extract(sound, sampling_rate=RATE, return_tensors="pt").input_features

    def window(self) -> tuple[list[int], list[int]]:
        """The prompt and the greedy tokens of one window."""
        start = [self.ids["<|startoftranscript|>"]]
        if self.variant.multilingual:
            start += [self.ids["<|en|>"], self.ids["<|transcribe|>"]]
        task = {"language": "en", "task": "transcribe"} if self.variant.multilingual else {}
        out = self.model.generate(
            self.features(samples()), return_timestamps=True, return_dict_in_generate=True, output_scores=True,
            force_unique_generate_call=True, temperature=0.0, **task,
        )  # fmt: skip
        _require_clear(out.scores)
        return start, out.sequences[0].tolist()[len(start) :]

    def no_speech(self, features: torch.Tensor) -> float:
        first = self.model(features, decoder_input_ids=torch.tensor([[self.ids["<|startoftranscript|>"]]])).logits[0, -1]
        return float(first.softmax(-1)[self.ids[self.variant.no_speech]])

    def long(self, case: Long) -> dict:
        """Segments with tokens, times and words. Sound longer than 30 s: transformers then follows OpenAI's algorithm."""
        whole = self.extract(
            long_samples(COPIES), sampling_rate=RATE, return_tensors="pt", truncation=False, padding="longest", return_attention_mask=True
        )
        options = {key: value for key, value in [("language", case.language), ("task", case.task)] if value}
        if case.prompt:
            options["prompt_ids"] = torch.tensor(self.tokenizer.get_prompt_ids(case.prompt))
        no_speech_threshold = self._between_windows(whole.input_features) if case.skip else None
        thresholds = {"no_speech_threshold": no_speech_threshold, "logprob_threshold": 0.0} if case.skip else _NO_SKIP
        out = self.model.generate(
            whole.input_features, attention_mask=whole.attention_mask, return_timestamps=True, return_segments=True,
            return_token_timestamps=True, condition_on_prev_tokens=case.condition, temperature=0.0, **thresholds, **options,
        )  # fmt: skip
        language = case.language or ("en" if not self.variant.multilingual else self._spelt(self.model.detect_language(whole.input_features)))
        segments = [self._segment(segment, language) for segment in out["segments"][0]]
        if len(segments) < _LEAST_SEGMENTS:
            raise Unclear
        return {
            "name": case.name, "language": case.language, "task": case.task, "prompt": case.prompt, "condition": case.condition,
            "no_speech_threshold": no_speech_threshold, "spoken": language, "segments": segments,
        }  # fmt: skip

    def _spelt(self, language: torch.Tensor) -> str:
        return self.tokenizer.convert_ids_to_tokens(int(language[0])).strip("<|>")

    def _between_windows(self, features: torch.Tensor) -> float:
        """A threshold that the loud beginning is below and another window above: half of them are left out."""
        found = sorted(self.no_speech(features[:, :, start : start + 3000]) for start in range(0, features.shape[-1] - 3000, 300))
        return (found[len(found) // 2 - 1] + found[len(found) // 2]) / 2

    def _segment(self, segment: dict, language: str) -> dict:
        _require_clear(segment["result"]["scores"])
        tokens = segment["tokens"].tolist()
        # The second of two timestamps between segments belongs to the next.
        tokens = tokens[:-1] if len(tokens) > 2 and tokens[-2] >= self.first_timestamp and tokens[-1] >= self.first_timestamp else tokens
        text = [token for token in tokens if token < self.eot]
        if not self.tokenizer.decode(text).strip() or segment["start"] == segment["end"]:
            raise Unclear
        prompt_length = int(segment["idxs"][0]) if segment["idxs"][0] < CONTEXT else 0
        generated = segment["result"]["sequences"]
        times = [round(float(time), 2) for time in segment["token_timestamps"]]
        return {
            "start": round(float(segment["start"]), 2), "end": round(float(segment["end"]), 2), "tokens": tokens,
            "text": self.tokenizer.decode(text), "words": self._words(tokens, times, language),
            "avg_logprob": self._average(segment["result"]["scores"], generated, prompt_length),
        }  # fmt: skip

    def _average(self, scores: list[torch.Tensor], sequence: torch.Tensor, _prompt_length: int) -> float:
        generated = sequence[-len(scores) :]
        return float(self.model._retrieve_avg_logprobs(scores, generated, 0.0))

    def _words(self, tokens: list[int], times: list[float], language: str) -> list[dict]:
        """As transformers' pipeline does: a token lasts from the one before it to itself."""
        spans = [(times[i - 1], times[i], token) for i, token in enumerate(tokens) if token < self.eot]
        words, _, indices = _combine_tokens_into_words(self.tokenizer, [token for *_, token in spans], LANGUAGES[language])
        return [{"word": word, "start": spans[own[0]][0], "end": spans[own[-1]][1]} for word, own in zip(words, indices)]


def _require_clear(scores: list[torch.Tensor]) -> None:
    for score in scores:
        first, second = score.flatten().topk(2).values
        if first - second < _LEAST_GAP:
            raise Unclear


class SteadyPaths:
    """While it lasts, word times that another order of sums would move are Unclear."""

    def __enter__(self) -> None:
        self.own = generation_whisper._dynamic_time_warping
        noise = np.random.default_rng(0)

        def steady(matrix: np.ndarray):
            paths = [self.own(matrix + _JITTER * scale * noise.standard_normal(matrix.shape)) for scale in (0, 1, 1)]
            if any(not np.array_equal(path[axis], paths[0][axis]) for path in paths[1:] for axis in (0, 1)):
                raise Unclear
            return paths[0]

        generation_whisper._dynamic_time_warping = steady

    def __exit__(self, *_exception) -> None:
        generation_whisper._dynamic_time_warping = self.own


def tensors_of(reference: Reference, features: torch.Tensor, inputs: list[int]) -> dict[str, np.ndarray]:
    model, short = reference.model, samples()
    encoded = model.model.encoder(features).last_hidden_state[0]
    rows = np.arange(0, 1500, 50, dtype=np.int32)
    frames = np.concatenate([np.arange(0, 40), np.arange(40, 400, 9), [2998, 2999]]).astype(np.int32)
    tensors = {
        "logits": model(features, decoder_input_ids=torch.tensor([inputs])).logits[0].numpy(),
        "encoder_rows": rows,
        "encoder_output": encoded[rows].numpy(),
        "feature_frames": frames,
        "features": features[0].T[frames].numpy(),
    }
    for length in (201, 1337, 16001):
        tensors[f"features_{length}"] = reference.features(short[:length])[0].T[:101].numpy()
    if reference.variant.dtype == torch.bfloat16:
        model = model.to(torch.bfloat16)
        tensors["logits_bfloat16"] = model(features.to(torch.bfloat16), decoder_input_ids=torch.tensor([inputs])).logits[0].float().numpy()
    return tensors
