"""Stage 1, by customer: from source records to cumulative partials per cell and pane."""
