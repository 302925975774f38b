"""Admission of requests: credentials, rate limit, quota."""
