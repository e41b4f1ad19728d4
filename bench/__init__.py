"""Reproducible measurements, each one command; figures are ratios within one run."""
