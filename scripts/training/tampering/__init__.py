"""Measurement of the tampering checks, which have no network."""
