"""Churn risk of one customer: the churn model, its file, its features, and the latest assessments."""
