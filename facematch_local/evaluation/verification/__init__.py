"""Error rates and curves of the comparison itself."""
