"""What both trainings share: the log, and the learning rate over the time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

STARTED = time.time()
"""Of this process."""


class Log:
    """Lines with the time since the start, on the screen and in a file; without a file nothing at all (all processes but the first)."""

    def __init__(self, path: Path | None, name: str = "") -> None:
        self.path, self.name = path, f"{name} " if name else ""

    def __call__(self, *parts: Any) -> None:
        if self.path is None:
            return
        line = f"[{self.name}{time.time() - STARTED:.0f}] " + " ".join(str(part) for part in parts)
        print(line, flush=True)
        with self.path.open("a") as file:
            file.write(line + "\n")


def rate_at(share: float, step: int, peak: float, held: float, warming: int) -> float:
    """Held for a share of the time, then falling to 0 in a line; `warming` steps of rising in each call."""
    return peak * min(1.0, (step + 1) / warming) * min(1.0, max(0.0, 1 - share) / (1 - held))
