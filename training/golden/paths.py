"""Where things are."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TINY = REPOSITORY / "models" / "tiny"
HEAR = REPOSITORY / "models" / "hear"
GOLDEN = REPOSITORY / "test" / "golden"
FIXTURES = GOLDEN / "fixtures"
MANIFEST = GOLDEN / "manifest.json"
PICTURES = FIXTURES / "pictures"
EMBEDDED = FIXTURES / "embedded"
SCREENS = EMBEDDED / "screens"
SPEECH = EMBEDDED / "sounds"
