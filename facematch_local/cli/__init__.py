"""The commands of the library. The service's package holds the root command."""
