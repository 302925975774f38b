"""Rates of each warning."""
