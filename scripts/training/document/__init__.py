"""Training of the document network."""
