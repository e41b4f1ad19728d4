"""Fitting a churn model to a table of labelled customers, with figures that are out of sample."""
