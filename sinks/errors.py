"""What a sink raises; the runtime translates these into its own tree."""


class SinkError(Exception):
    """The database refuses us, or its tables are not ours: trying again will not help, a person must."""


class SinkUnavailable(SinkError):
    """The database cannot take rows now. Nothing was dropped: flush again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float = 0.5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PoisonRow(SinkError):
    """The database refuses an insert for what a row contains; never leaves `flush`, which isolates the row."""
