"""Drawn and degraded photos with a known truth, for samples, tests and reports."""
