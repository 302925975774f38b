"""What surrounds every request: layers, bodies, records, replies."""
