"""Cuts and cells: for which values of which dimensions a score is computed."""
