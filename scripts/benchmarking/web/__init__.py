"""Comparisons over HTTP: the services, and clients in a closed loop."""
