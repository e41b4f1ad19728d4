"""An import without output."""


class NoProgress:
    """Progress that ignores every report."""

    def step(self, activity: str, rows: int, fraction: float, rows_per_s: float) -> None:
        """Ignore the report."""

    def close(self) -> None:
        """Do nothing."""
