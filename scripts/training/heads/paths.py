"""Imported first: lets the scripts of this folder use the modules that all trainings share."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "common"))
