"""Photos by URL: which hosts may be reached, and the fetching."""
