"""Sockets, connections, signals and the process."""
