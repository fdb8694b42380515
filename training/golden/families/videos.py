"""Videos: short lossless films, and what transformers' processors and models of the Qwen-VL families make of their frames.

The films are encoded by ffmpeg from drawn frames, which lie beside them as PNG (one below the other): the reference never decodes a film.
Needs torchvision besides the other packages, and ffmpeg.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import transformers
from PIL import Image, ImageDraw
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer
from transformers.image_utils import SizeDict
from transformers.video_processing_utils import BaseVideoProcessor
from transformers.video_utils import VideoMetadata

from .. import models
from ..cases import Case, _picture, _user
from ..fixture import LEAST_GAP, Fixture
from ..paths import FIXTURES
from ..prompt import Prompt, _pictures, tokenizer
from ..random_models import NEW_TOKENS
from ..reference import Answer

FOLDER = FIXTURES / "videos"
# Of the patches that a processor gives, every so manieth is stored.
STRIDE = 5
ROWS = 6


@dataclass(frozen=True)
class Film:
    """`times`: when each frame begins, in seconds; the last one lasts 1 / `rate`. `turned`: stored upright, played a quarter of a turn clockwise."""

    name: str
    size: tuple[int, int]
    rate: int
    times: list[float]
    codec: list[str]
    turned: bool = False


_FFV1 = ["-c:v", "ffv1", "-level", "3", "-pix_fmt", "bgr0"]
_X264 = ["-c:v", "libx264rgb", "-qp", "0", "-preset", "medium"]
FILMS = [
    Film("steady.mkv", (64, 48), 8, [i / 8 for i in range(24)], _FFV1),
    Film("odd.mp4", (80, 56), 4, [i / 4 for i in range(13)], _X264),
    Film("variable.mkv", (64, 48), 10, [0, 0.1, 0.3, 0.6, 0.7, 1.2, 1.3, 1.4, 1.8, 2.5, 2.6], _FFV1),
    Film("turned.mp4", (80, 48), 8, [i / 8 for i in range(15)], _X264, turned=True),
]


def _frames(film: Film, seed: int) -> list[np.ndarray]:
    """Shapes that move over bands of colour: (H, W, 3) each, as they are played."""
    width, height = film.size
    random = np.random.default_rng([seed, len(film.times)])
    bands, shapes = random.integers(0, 256, (4, 3)), random.integers(0, 256, (3, 3))
    places, steps = random.uniform(0, 1, (3, 2)), random.uniform(-0.08, 0.08, (3, 2))
    frames = []
    for number in range(len(film.times)):
        picture = Image.new("RGB", film.size)
        draw = ImageDraw.Draw(picture)
        for band, colour in enumerate(bands):
            draw.rectangle((0, band * height // 4, width, (band + 1) * height // 4), tuple(map(int, colour)))
        for which, (place, step, colour) in enumerate(zip(places, steps, shapes)):
            x, y = ((place + number * step) % 1) * (width, height)
            side = 8 + 5 * which
            (draw.ellipse if which % 2 else draw.rectangle)((x - side, y - side, x + side, y + side), tuple(map(int, colour)))
        frames.append(np.asarray(picture))
    return [np.rot90(frame, -1) for frame in frames] if film.turned else frames


def _encode(film: Film, frames: list[np.ndarray]) -> None:
    stored = [np.ascontiguousarray(np.rot90(frame, 1) if film.turned else frame) for frame in frames]
    height, width = stored[0].shape[:2]
    times = "+".join(f"eq(N,{number})*{time}" for number, time in enumerate(film.times))
    path = FOLDER / film.name
    command = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(film.rate), "-i", "pipe:0"]
    command += ["-vf", f"settb=1/1000,setpts='({times})/TB'", "-vsync", "passthrough", "-enc_time_base", "1/1000", *film.codec]
    command += ["-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", str(path)]
    subprocess.run(command, input=b"".join(frame.tobytes() for frame in stored), check=True)
    if film.turned:
        path.write_bytes(_turned(path.read_bytes(), height))


def _turned(file: bytes, height: int) -> bytes:
    """The track's matrix (ISO/IEC 14496-12, tkhd, version 0) set to a quarter of a turn clockwise."""
    start = file.index(b"tkhd") + 4 + 40
    matrix = [0, 0x10000, 0, -0x10000, 0, 0, height << 16, 0, 0x40000000]
    return file[:start] + b"".join(value.to_bytes(4, "big", signed=True) for value in matrix) + file[start + 36 :]


def _average_rate(film: Film) -> float:
    """Frames by seconds from the first one's beginning to the last one's end."""
    return len(film.times) / (film.times[-1] + 1 / film.rate)


def _video(name: str, **options: float) -> dict:
    return {"type": "video", "video": f"videos/{name}", **options}


_WORDS = [
    "What happens here?",
    "Describe this video.",
    "What colour is the circle?",
    "What is in it?",
    "Tell me more.",
    "Is it raining?",
    "What is on the left?",
    "Once more: what is it?",
]


def _cases(words: str) -> list[Case]:
    """Of one case all videos are sampled alike."""
    return [
        Case("one_video", [_user(_video("steady.mkv"), words)]),
        Case("every_frame", [_user(_video("odd.mp4", fps=4), words)]),
        Case("few_frames", [_user(_video("odd.mp4", maxFrames=5), words)]),
        Case("with_picture", [_user("First ", _picture("gradient-96x64.png"), " and then ", _video("variable.mkv", fps=3), words)]),
        Case("two_videos", [_user(_video("steady.mkv"), " and ", _video("turned.mp4"), words)]),
        Case(
            "second_turn",
            [
                _user(_video("turned.mp4", fps=5), "Describe this video."),
                {"role": "assistant", "content": "A circle moves to the left."},
                _user(words),
            ],
        ),
    ]


@dataclass(frozen=True)
class Family:
    model: str  # the fixture whose model answers
    processor: str  # classes of transformers, which need torchvision: looked up when they are used
    config: dict

    @property
    def video_processor(self) -> str:
        return self.config["video_processor_type"]


_QWEN2 = {"video_processor_type": "Qwen2VLVideoProcessor", "patch_size": 14, "size": {"shortest_edge": 3136, "longest_edge": 5000}}
_QWEN3 = {
    "video_processor_type": "Qwen3VLVideoProcessor",
    "patch_size": 8,
    "size": {"shortest_edge": 4096, "longest_edge": 14000},
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "fps": 2,
}
FAMILIES = [
    Family("qwen2-vl", "Qwen2VLProcessor", _QWEN2),
    Family("qwen2.5-vl", "Qwen2_5_VLProcessor", _QWEN2),
    Family("qwen3-vl", "Qwen3VLProcessor", _QWEN3),
    Family("qwen3-5", "Qwen3VLProcessor", _QWEN3),
]


class _Oracle:
    def __init__(self, family: Family, films: dict[str, tuple[np.ndarray, float]]):
        folder = FIXTURES / family.model / "model"
        self.films, self.folder, self.family = films, folder, family
        self.processor = getattr(transformers, family.processor)(
            AutoImageProcessor.from_pretrained(folder, backend="pil"),
            AutoTokenizer.from_pretrained(folder),
            getattr(transformers, family.video_processor)(
                **{key: value for key, value in family.config.items() if key != "video_processor_type"}
            ),
        )
        self.model, report = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
        wrong = {key: names for key, names in report.items() if names}
        if wrong:
            raise RuntimeError(f"{folder}: {wrong}")
        self.model.eval()
        self.special = set(self.processor.tokenizer.added_tokens_decoder)

    def inputs(self, case: Case) -> tuple[str, dict]:
        text = self.processor.tokenizer.apply_chat_template(case.messages, tokenize=False, add_generation_prompt=True)
        parts = [part for message in case.messages if isinstance(message["content"], list) for part in message["content"]]
        parts = [part for part in parts if part["type"] == "video"]
        pairs = [self.films[Path(part["video"]).name] for part in parts]
        metadata = [VideoMetadata(total_num_frames=len(frames), fps=rate, duration=len(frames) / rate) for frames, rate in pairs]
        videos = {"fps": parts[0].get("fps", 2), "do_sample_frames": True, "video_metadata": metadata}
        most = parts[0].get("maxFrames", 768)
        if self.family.video_processor == "Qwen2VLVideoProcessor":
            videos["max_frames"] = most
        else:
            self.processor.video_processor.max_frames = most
        given = {"text": [text], "videos": [frames for frames, _ in pairs], "images": _pictures(case) or None}
        made = self.processor(**given, videos_kwargs=videos, return_tensors="pt")
        return text, dict(made)

    @torch.no_grad()
    def answer(self, case: Case) -> tuple[Prompt, Answer] | None:
        """None when a greedy token is a marker or a near tie, or they hardly vary."""
        text, inputs = self.inputs(case)
        ids = inputs["input_ids"][0].tolist()
        grids = {key: value for key, value in inputs.items() if key.endswith("_thw") or key == "second_per_grid_ts"}
        positions, deltas = self.model.model.get_rope_index(inputs["input_ids"], inputs["mm_token_type_ids"], **grids)
        generated = self.model.generate(
            **inputs,
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
            output_logits=True,
            return_dict_in_generate=True,
        )
        greedy = generated.sequences[0, len(ids) :].tolist()
        logits = torch.cat(generated.logits)
        first, second = logits.topk(2).values.unbind(-1)
        near_tie = ((first - second) / logits.abs().max() <= LEAST_GAP).any()
        if self.special & set(greedy) or len(set(greedy)) < NEW_TOKENS // 2 or near_tie:
            return None
        tensors = {
            "position_ids": positions.numpy().astype(np.int32),
            "video_grid_thw": inputs["video_grid_thw"].numpy().astype(np.int32),
            "pixel_values_videos_u8": self._levels(inputs["pixel_values_videos"].numpy())[::STRIDE],
        }
        if "second_per_grid_ts" in inputs:
            tensors["second_per_grid_ts"] = np.asarray(inputs["second_per_grid_ts"], dtype=np.float32)
        whole = self.model(**inputs).logits[0].numpy()
        return Prompt(text, ids, None, None, None), Answer(whole, greedy, int(deltas), tensors)

    def _levels(self, values: np.ndarray) -> np.ndarray:
        """The eight-bit levels that these values stand for: a quarter of the size, and exact."""
        processor = self.processor.video_processor
        mean, deviation = np.asarray(processor.image_mean), np.asarray(processor.image_std)
        channels = values.reshape(len(values), 3, -1)
        levels = (channels * deviation[:, None] + mean[:, None]) * 255
        if np.abs(levels - np.rint(levels)).max() > 1e-3:
            raise RuntimeError("pixel values are not whole levels")
        return np.rint(levels).astype(np.uint8).reshape(values.shape)


def _build_family(family: Family, films: dict[str, tuple[np.ndarray, float]]) -> None:
    folder = FOLDER / family.model
    folder.mkdir()
    tokenizer.cache_clear()
    models._write_json(folder / "video_preprocessor_config.json", family.config)
    oracle = _Oracle(family, films)
    about = {
        "oracle": f"transformers {transformers.__version__}, torchvision {version('torchvision')}",
        "model": family.model,
        "patch_stride": STRIDE,
    }
    fixture = Fixture(folder, about, FIXTURES / family.model / "model")
    for index in range(len(_cases(""))):
        for words in _WORDS:
            case = _cases(words)[index]
            answered = oracle.answer(case)
            if answered:
                fixture.add(case, *answered, rows=ROWS)
                break
        else:
            raise RuntimeError(f"{family.model}, {case.name}: no question is answered clearly")
    fixture.write()


_RATES = [24000 / 1001, 24, 25, 30000 / 1001, 30, 60, 11 / 2.7]


def _rules(generation: str, random: np.random.Generator) -> dict:
    """Which frames a processor takes, and the size it sees them at, for films of many lengths, rates and sizes."""
    processor = getattr(transformers, f"{generation}VideoProcessor")()
    samples, sizes = [], []
    while len(samples) < 60:
        frames, rate = int(random.integers(2, 3000)), _RATES[random.integers(len(_RATES))]
        wanted, most = [0.5, 1, 2, 3.7][random.integers(4)], int([4, 7, 16, 32, 768][random.integers(5)])
        processor.max_frames = most
        metadata = VideoMetadata(total_num_frames=frames, fps=rate)
        indices = [int(index) for index in processor.sample_frames(metadata, fps=wanted)]
        if len(indices) <= 32:
            samples.append({"frames": frames, "fps": rate, "wanted": wanted, "max": most, "indices": indices})
    factor = processor.patch_size * processor.merge_size
    for _ in range(60):
        frames, height, width = (int(random.integers(low, high)) for low, high in ((2, 200), (8, 2200), (8, 2200)))
        least = int(random.integers(1000, 200_000))
        limits = SizeDict(shortest_edge=least, longest_edge=least * int(random.integers(2, 200)))
        cap = bool(random.integers(2))
        film = torch.empty((1, frames, 3, height, width), dtype=torch.uint8, device="meta")
        with mock.patch.object(BaseVideoProcessor, "resize", lambda _, image, size, resample: size):
            size = processor.resize(film, limits, None, factor, temporal_factor=2, cap_pixels_per_frame=cap)
        entry = {"frames": frames, "height": height, "width": width, "min": least, "max": limits.longest_edge, "cap": cap}
        sizes.append(entry | {"result": [size.height, size.width]})
    return {"samples": samples, "sizes": sizes}


def _write_rules(seed: int) -> None:
    random = np.random.default_rng(seed)
    times = [number / 40 for number in range(0, 200)] + [number / rate for rate in _RATES for number in range(1, 60, 7)]
    rules = {name: _rules(generation, random) for name, generation in (("qwen2", "Qwen2VL"), ("qwen3", "Qwen3VL"))}
    rules["times"] = [[time, f"{time:.1f}"] for time in times]
    (FOLDER / "rules.json").write_text(json.dumps(rules) + "\n", encoding="utf-8")


def build() -> int:
    """Returns the seed of the frames."""
    seed = 0
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    films = {}
    for film in FILMS:
        frames = _frames(film, seed)
        _encode(film, frames)
        Image.fromarray(np.concatenate(frames)).save((FOLDER / film.name).with_suffix(".png"), optimize=True)
        films[film.name] = (np.stack(frames), _average_rate(film))
    rates = {film.name: {"frames": len(film.times), "fps": films[film.name][1]} for film in FILMS}
    (FOLDER / "films.json").write_text(json.dumps(rates, indent=1) + "\n", encoding="utf-8")
    _write_rules(seed)
    for family in FAMILIES:
        _build_family(family, films)
    return seed


BUILDERS = {"videos": build}
READS_FIXTURES = True
