"""Localisation of a document in a photo."""
