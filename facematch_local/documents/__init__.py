"""Where a document lies in a photo."""
