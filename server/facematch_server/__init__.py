"""The HTTP service around `facematch_local`. Imports the library, never the other way round."""
