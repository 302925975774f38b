"""The endpoints: thin, one module each."""
