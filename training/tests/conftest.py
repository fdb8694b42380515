"""The packages of training/ are imported by their own names, as the commands do that run from this folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
