"""Training of the photocopy network."""
