"""The errors of sinks; the runtime translates them into its own tree."""


class SinkError(Exception):
    """The store refuses the sink or is not what the sink needs. Trying again does not help; a person must act."""


class SinkUnavailable(SinkError):
    """The store cannot take records now. Everything is kept: flush again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float = 0.5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PoisonRow(SinkError):
    """The store refuses an insert because of a row's content. `flush` isolates the row and never raises this."""
