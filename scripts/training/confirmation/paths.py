"""Imported first: lets the scripts of this folder use the modules of the folders beside it."""

import sys
from pathlib import Path

BESIDE = ("detector", "heads", "common", "document")
sys.path += [str(Path(__file__).resolve().parents[1] / folder) for folder in BESIDE]
