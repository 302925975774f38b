"""Folders and files of this repository that the trainings read and write."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
COMPACT = ROOT / "models" / "compact"
LEFT_OUT = ROOT / "scripts" / "training" / "occlusion" / "warnings_left_out.csv"  # photos with doubtful labels
