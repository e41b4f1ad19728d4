"""Fits: a churn model from labels with times, or a table model from a table of customers."""
