"""What a checkpoint can do on rendered screens with fonts it never saw, in closed-loop episodes, and with functions of unseen domains.

The issue's own table is made by training/evaluate on real applications; this is the quick look at the end of a training call.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter, defaultdict
from random import Random
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from functions.make import conversation
from tasks.form import Sample
from tasks.make import samples
from tasks.simulator import Episode, act, make_episode

from .feed import BUCKETS, drawn
from .generate import about_pictures, about_text
from .packed import Packed

SEED = 10**9


def held_out(number: int) -> tuple[np.ndarray, list[Sample]]:
    """The screen of this number with its samples; every fourth at a size other than 640 × 480."""
    rng = Random(SEED + number)
    size = BUCKETS[0] if number % 4 else BUCKETS[1 + number // 4 % (len(BUCKETS) - 1)]
    screen, _ = drawn(rng, size, held_out=number % 2 == 0)
    assert screen.image is not None
    return screen.image, samples(rng, screen, 0.45)


def right(sample: Sample, reply: str, size: tuple[int, int]) -> bool:
    """A place inside the box with the same words around it, or the same text."""
    if sample.box is None:
        return reply == sample.answer
    pattern = r'"coordinate": \[(\d+), (\d+)\]'
    found = re.search(pattern, reply)
    if not found or re.sub(pattern, "", reply) != re.sub(pattern, "", sample.answer):
        return False
    x, y = int(found[1]) / 1000 * size[0], int(found[2]) / 1000 * size[1]
    margin = 0.7
    return sample.box[0] - margin <= x <= sample.box[2] + margin and sample.box[1] - margin <= y <= sample.box[3] + margin


def _call_right(expected: str, reply: str) -> bool:
    pattern = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.S)
    try:
        return [json.loads(text) for text in pattern.findall(reply)] == [json.loads(text) for text in pattern.findall(expected)]
    except ValueError:
        return False


def static(packed: Packed, tokenizer: Tokenizer, screens: list[tuple[np.ndarray, list[Sample]]]) -> tuple[dict[str, list[bool]], list[Any]]:
    """Right or wrong by kind, and the failures."""
    prompts, owners = [], []
    for index, (_, found) in enumerate(screens):
        for sample in found:
            if sample.kind != "read:elements":
                prompts.append((index, sample.prompt))
                owners.append((index, sample))
    replies = about_pictures(packed, tokenizer, [picture for picture, _ in screens], prompts)
    scores: dict[str, list[bool]] = defaultdict(list)
    failures = []
    for (index, sample), reply in zip(owners, replies):
        height, width, _ = screens[index][0].shape
        ok = right(sample, reply, (width, height))
        group = sample.kind.split(" ")[0] if sample.kind.startswith("policy") else sample.kind
        for key in {sample.kind, group, sample.kind.split(":")[0]}:
            scores[key].append(ok)
        if sample.kind.startswith("policy:find") and sample.kind.endswith("respelled"):
            scores["respelled"].append(ok)
        scores["size other" if (width, height) != BUCKETS[0] else "size 640"].append(ok)
        scores["font unseen" if index % 2 == 0 else "font seen"].append(ok)
        if not ok:
            failures.append([index, sample.kind, sample.prompt, sample.answer, reply, sample.box])
    return scores, failures


def episodes(packed: Packed, tokenizer: Tokenizer, count: int, deadline: float) -> tuple[dict[str, list[bool]], list[Any]]:
    """Closed-loop success by what disturbs the episode."""
    troubles = ["", "", "", "", "popup", "moved", "dead click"]
    all_episodes: list[Episode] = [make_episode(SEED + number, held_out=number % 3 == 0, trouble=troubles[number % 7], absent=number % 8 == 7, sizes=(0, 0, 0, 1, 3)) for number in range(count)]
    while time.time() < deadline:
        running = [episode for episode in all_episodes if episode.state == "run"]
        if not running:
            break
        replies = about_pictures(packed, tokenizer, [episode.picture() for episode in running], [(index, episode.prompt()) for index, episode in enumerate(running)])
        for episode, reply in zip(running, replies):
            act(episode, reply)
    scores: dict[str, list[bool]] = defaultdict(list)
    failures = []
    for number, episode in enumerate(all_episodes):
        ok = episode.state == "ok"
        scores["episode:absent" if episode.absent else f"episode:{episode.trouble or 'plain'}"].append(ok)
        scores["episode"].append(ok)
        if not ok:
            failures.append([number, episode.trouble, episode.state, episode.task, episode.history])
    return scores, failures


def functions(packed: Packed, tokenizer: Tokenizer, count: int) -> tuple[dict[str, list[bool]], list[Any]]:
    """Calls of unseen tools: name and all arguments; other answers word for word."""
    found = [conversation(Random(SEED + number), held_out=True) for number in range(count)]
    replies = about_text(packed, tokenizer, [sample.prompt for sample in found])
    scores: dict[str, list[bool]] = defaultdict(list)
    failures = []
    for number, (sample, reply) in enumerate(zip(found, replies)):
        ok = _call_right(sample.answer, reply) if "<tool_call>" in sample.answer else reply == sample.answer
        scores[sample.kind].append(ok)
        scores["function"].append(ok)
        if not ok:
            failures.append([number, sample.kind, sample.prompt[-600:], sample.answer, reply])
    return scores, failures


def evaluate(packed: Packed, tokenizer: Tokenizer, screens: list[tuple[np.ndarray, list[Sample]]], seconds: float, episode_count: int = 70, function_count: int = 192) -> dict[str, Any]:
    """Everything within about `seconds`."""
    end = time.time() + seconds
    result: dict[str, Any] = {"scores": {}, "failures": {}}
    for name, work in (
        ("static", lambda: static(packed, tokenizer, screens)), ("functions", lambda: functions(packed, tokenizer, function_count)),
        ("episodes", lambda: episodes(packed, tokenizer, episode_count, end)),
    ):
        begin = time.time()
        scores, failures = work()
        result["scores"].update({key: [sum(values), len(values)] for key, values in sorted(scores.items())})
        result["failures"][name] = failures[:300]
        result[f"{name}_seconds"] = round(time.time() - begin, 1)
        result[f"{name}_states"] = dict(Counter(str(failure[1]) for failure in failures))
    return result


def lines(result: dict[str, Any]) -> str:
    """The scores in one line each kind."""
    return "\n".join(f"{key:34s} {good / max(1, count):.3f}  ({good}/{count})" for key, (good, count) in result["scores"].items())
