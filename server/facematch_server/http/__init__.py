"""The HTTP layer around every request: middleware, bodies, records, replies."""
