"""The errors of cxstream; a message says what was wrong, where, and what to do."""


class CxError(Exception):
    """Base of all errors that a command reports in one line; by default the exit code is 2."""

    exit_code = 2


class ConfigError(CxError):
    """A setting or option is missing, malformed or contradicts another; the message names it."""


class BrokerError(CxError):
    """Kafka is unreachable, refuses access, or lacks a topic."""


class StoreError(CxError):
    """A sink's store is unreachable, refuses access, or has another schema."""


class MappingError(CxError):
    """An importer mapping lacks something that an event needs."""


class HoleError(CxError):
    """Source records were deleted before they were applied; all later results would be too low."""

    exit_code = 3


class FencedError(CxError):
    """Another worker has become the owner of a partition; this worker must stop processing it."""

    exit_code = 4


class StateError(CxError):
    """State in the changelog was written under other definitions or is damaged."""

    exit_code = 5
