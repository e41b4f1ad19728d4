"""Churn risk of one customer: the model, its features, its file, and the latest assessments."""
