"""Stage 2, by cell: from partials to rolling windows."""
