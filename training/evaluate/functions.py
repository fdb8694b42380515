"""Function calls with tools that training never defines: the call must be exact, name and all arguments."""

from __future__ import annotations

import json
import sys
import time
from random import Random
from typing import Any

from functions.tools import Tool, make_tool, request

from .model import Model, calls_of
from .statistics import Outcome


def ask_all(model: Model, count: int, seed: int) -> list[Outcome]:
    """`count` requests; in one of twelve none of the tools fits, and then a call is wrong."""
    outcomes = []
    started = time.monotonic()
    for number in range(count):
        outcomes.append(_ask(model, Random(f"{seed} functions {number}")))
        if number % 100 == 99:
            print(f"functions: {number + 1}, {sum(o.right for o in outcomes)} right, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return outcomes


def _ask(model: Model, rng: Random) -> Outcome:
    tool = make_tool(rng, held_out=True)
    tools = _others(rng, tool)
    fits = not tools or rng.random() > 1 / 12
    if fits:
        tools.append(tool)
        rng.shuffle(tools)
    text = request(rng, tool)
    answer = model.answer([{"role": "user", "content": text}], [item.definition() for item in tools])
    calls = calls_of(answer)
    wanted: list[dict[str, Any]] = [{"name": tool.name, "arguments": tool.arguments()}] if fits else []
    group = "none fits" if not fits else "one tool" if len(tools) == 1 else "several tools"
    return Outcome("function", calls == wanted, group, text, json.dumps(wanted, ensure_ascii=False), answer, more={"tools": [item.name for item in tools]})


def _others(rng: Random, tool: Tool) -> list[Tool]:
    """Up to four tools for something else."""
    found: list[Tool] = []
    for _ in range(rng.randint(0, 4)):
        other = make_tool(rng, held_out=True)
        if other.noun != tool.noun and other.verb != tool.verb and other.name not in {item.name for item in found}:
            found.append(other)
    return found
