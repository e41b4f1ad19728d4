"""Intervals and tests, from exact integer counts."""
