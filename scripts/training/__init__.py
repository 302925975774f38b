"""Trainings of the networks of the pack `compact`; `python -m scripts.training.TASK.run` from the repository's root."""
