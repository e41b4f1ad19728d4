"""The one small tree of errors; a message says what was wrong, where, and what to do."""


class CxError(Exception):
    """Anything cxstream reports by one line and exit code 2."""

    exit_code = 2


class ConfigError(CxError):
    """A setting is missing, malformed or contradicts another; names the key."""


class BrokerError(CxError):
    """Kafka is unreachable, refuses us, or lacks a topic."""


class StoreError(CxError):
    """ClickHouse is unreachable, refuses us, or its schema is not ours."""


class MappingError(CxError):
    """An importer mapping does not say what an event needs."""


class HoleError(CxError):
    """Source records were deleted before they were applied; going on would be silently wrong."""

    exit_code = 3


class FencedError(CxError):
    """A newer owner has taken this partition; this worker must let go."""

    exit_code = 4


class StateError(CxError):
    """State in the changelog was written by other definitions or is damaged."""

    exit_code = 5
