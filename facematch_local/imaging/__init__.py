"""Pictures: bytes to pixels, sampling, perspective, spectrum, traces of compression. Nothing here knows a face."""
