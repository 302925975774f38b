"""Training of the texture network: traces of prints and screens at the resolution of the photo."""
