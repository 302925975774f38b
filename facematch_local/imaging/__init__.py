"""Image processing: decoding, resampling, perspective, spectrum and compression traces. No module depends on faces."""
