"""The recent records of each customer, for deduplication, corrections and churn risk."""
