"""Counts and their intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from speech.wer import rate


def wilson(right: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's score."""
    if count == 0:
        return 0.0, 1.0
    share, square = right / count, z * z
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = z * sqrt(share * (1 - share) / count + square / (4 * count * count)) / (1 + square / count)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass
class Outcome:
    """One judged question or episode. `picture` names the file it was asked about, `click` is where the model clicked (pixels)."""

    line: str
    right: bool
    group: str
    asked: str
    expected: str
    answered: str
    picture: str = ""
    box: tuple[float, float, float, float] | None = None
    click: tuple[float, float] | None = None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """A line of the table: `target` is the least share wanted (of word errors the greatest), None where the figure is only for information."""

    key: str
    label: str
    target: float | None
    word_errors: bool = False


LINES = (
    Line("click", "click inside the target, real toolkits", 0.97),
    Line("relation", "click by position or relation", None),
    Line("state", "checkbox and radio state", 0.97),
    Line("text", "non-empty field text", 0.90),
    Line("title", "window title", 0.90),
    Line("absent", "absent target: failure, not a click", 0.90),
    Line("episode", "multi-step tasks, 1-5 goals, through the agent", 0.90),
    Line("variant", "the same with a pop-up, a moved window or a prefilled form", 0.80),
    Line("function", "function call exact, unseen tools", 0.90),
    Line("command-clean", "word error rate, commands, held-out voice", 0.05, True),
    Line("command-noise", "the same with noise at 10 dB", 0.12, True),
    Line("command-telephone", "the same by telephone", None, True),
    Line("unheard-clean", "word error rate, commands of names and words that training never had", None, True),
    Line("unheard-noise", "the same with noise at 10 dB", None, True),
    Line("unheard-telephone", "the same by telephone", None, True),
    Line("sentence-clean", "word error rate, sentences out of context, held-out voice", None, True),
    Line("sentence-noise", "the same with noise at 10 dB", None, True),
    Line("sentence-telephone", "the same by telephone", None, True),
    Line("silence", "silence: empty text", None),
)


def table(runs: dict[str, list[Outcome]]) -> str:
    """Markdown: a line a figure, and below each its groups; one column of figures a model."""
    names = [*runs, "difference"] if len(runs) == 2 else list(runs)
    rows = ["| figure | target | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]

    def row(line: Line, label: str, target: str, group: str | None) -> str:
        key = line.key
        wanted = [[o for o in outcomes if o.line == key and group in (None, o.group)] for outcomes in runs.values()]
        figures = [(_word_errors if line.word_errors else _figure)(outcomes) for outcomes in wanted]
        if len(wanted) == 2 and all(wanted):
            first, second = (_rate(outcomes)[0] if line.word_errors else sum(o.right for o in outcomes) / len(outcomes) for outcomes in wanted)
            figures.append(f"{(second - first) * 100:+.1f} points")
        return f"| {label} | {target} | " + " | ".join(figures) + " |"

    for line in LINES:
        if not any(outcome.line == line.key for outcomes in runs.values() for outcome in outcomes):
            continue
        target = "" if line.target is None else f"{'≤' if line.word_errors else '≥'} {line.target:.0%}"
        rows.append(row(line, line.label, target, None))
        groups = sorted({outcome.group for outcomes in runs.values() for outcome in outcomes if outcome.line == line.key})
        rows += [row(line, f"· {group}", "", group) for group in groups if len(groups) > 1]
    return "\n".join(rows)


def _figure(outcomes: list[Outcome]) -> str:
    right, count = sum(outcome.right for outcome in outcomes), len(outcomes)
    if count == 0:
        return "–"
    low, high = wilson(right, count)
    return f"{right / count:.1%} ({right} of {count}; {low:.1%}–{high:.1%})"


def _rate(outcomes: list[Outcome]) -> tuple[float, float, float]:
    return rate([(outcome.more["errors"], outcome.more["words"]) for outcome in outcomes])


def _word_errors(outcomes: list[Outcome]) -> str:
    if not outcomes:
        return "–"
    share, low, high = _rate(outcomes)
    count = sum(outcome.more["words"] for outcome in outcomes)
    return f"{share:.1%} ({len(outcomes)} sentences, {count} words; {low:.1%}–{high:.1%})"
