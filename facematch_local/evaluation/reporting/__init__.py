"""Pieces of reports: charts and pages."""
