"""Where things are."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TINY = REPOSITORY / "models" / "tiny"
GOLDEN = REPOSITORY / "test" / "golden"
FIXTURES = GOLDEN / "fixtures"
MANIFEST = GOLDEN / "manifest.json"
PICTURES = FIXTURES / "pictures"
SCREENS = FIXTURES / "embedded" / "screens"
