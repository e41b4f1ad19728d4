"""`cxstream`: one command a file."""
