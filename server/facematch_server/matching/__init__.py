"""The threads that compare, and whose turn it is."""
