"""Training of the face recogniser."""
