"""Trainings of the networks of the pack `compact`, one folder per task; run from the repository's root.

    python -m scripts.training.TASK.run --help

Every task has the same files, where it has the thing: `data` gathers or composes the samples, `net` is the network,
`train` trains it, `export` writes the ONNX file (most tasks use `common.export`), `evaluate` measures it, and `run`
does all of it in order. `common` holds the parts that several tasks share.
"""
