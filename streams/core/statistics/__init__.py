"""Confidence intervals and tests, from exact integer counts."""
