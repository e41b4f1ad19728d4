"""A churn model from labels or from a table of customers."""
