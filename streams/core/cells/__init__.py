"""Cuts and cells: the combinations of dimension values for which scores are computed."""
