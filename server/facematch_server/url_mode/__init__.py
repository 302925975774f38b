"""Photos by URL: the permitted addresses, and the fetcher."""
