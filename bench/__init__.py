"""Reproducible measurements. Each is one command; its figures are compared with others of the same run only."""
