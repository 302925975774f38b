"""Programs for developers: benchmarks, calibration and training."""
