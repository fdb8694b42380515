"""The list of fixture files with their sha256, and its check. Standard library only: the check runs without the oracles."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

from .paths import FIXTURES, GOLDEN, HEAR, MANIFEST, REPOSITORY, SCREENS, SPEECH, TINY


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fixture_files() -> dict[str, dict[str, object]]:
    """Every fixture file, by its path below test/golden. `made` is false for the screenshots and recorded speech, which are inputs."""
    return {
        path.relative_to(GOLDEN).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": _sha256(path),
            "made": path.parent not in (SCREENS, SPEECH),
        }
        for path in sorted(FIXTURES.rglob("*"))
        if path.is_file()
    }


def embedded_model_files() -> dict[str, str]:
    """sha256 of what the goldens of the embedded models depend on, by path below the repository."""
    return {
        path.relative_to(REPOSITORY).as_posix(): _sha256(path)
        for path in sorted([*TINY.iterdir(), *HEAR.iterdir()])
        if path.suffix != ".md"
    }


def write(versions: dict[str, str], seeds: dict[str, int]) -> None:
    """Write the manifest of the fixtures that are there now, whole or not at all."""
    text = json.dumps(
        {"versions": versions, "seeds": seeds, "models": embedded_model_files(), "files": fixture_files()}, indent=1
    )
    with tempfile.NamedTemporaryFile("w", dir=GOLDEN, delete=False, encoding="utf-8") as file:
        file.write(text + "\n")
    os.chmod(file.name, 0o644)
    os.replace(file.name, MANIFEST)


def seeds() -> dict[str, int]:
    """The seeds of the fixtures that are there now."""
    return json.loads(MANIFEST.read_text(encoding="utf-8"))["seeds"]


def problems() -> list[str]:
    """What differs between the manifest and the files; empty when nothing does."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    recorded = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    present = {name: entry["sha256"] for name, entry in fixture_files().items()}
    recorded |= manifest["models"]
    present |= embedded_model_files()
    found = []
    for name in sorted(recorded.keys() | present.keys()):
        if name not in present:
            found.append(f"{name}: in the manifest, but the file is missing")
        elif name not in recorded:
            found.append(f"{name}: not in the manifest")
        elif recorded[name] != present[name]:
            found.append(f"{name}: sha256 is {present[name]}, the manifest says {recorded[name]}")
    return found
