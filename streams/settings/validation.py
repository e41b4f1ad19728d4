"""Rules that no single field can state: durations and cuts that parse, and keys that fit together."""

from streams.core.cells.cuts import DIMENSIONS
from streams.errors import ConfigError
from streams.settings.sections import Settings

_MIN_HORIZON_S = 48 * 3600


def validate(settings: Settings) -> None:
    """Raise `ConfigError` naming the key and the fix where the settings cannot work."""
    _validate_parsed(settings)
    _validate_ledger(settings)
    _validate_security(settings)
    _validate_owners(settings)


def _validate_parsed(settings: Settings) -> None:
    spans = settings.spans()
    settings.seconds("lateness.allowance")
    settings.cuts()
    settings.business_hours()
    settings.seconds("lateness.future")
    settings.seconds("lateness.final_after")
    settings.seconds("risk.refresh")
    if settings.windows.every:
        settings.seconds("windows.every")
    if not spans:
        raise ConfigError('windows.lengths: empty; name at least one window, e.g. ["24h"]')


def _validate_ledger(settings: Settings) -> None:
    horizon_s = settings.seconds("ledger.horizon")
    if horizon_s < _MIN_HORIZON_S:
        raise ConfigError("ledger.horizon: at least 48h, or late duplicates would count twice")
    if horizon_s < settings.seconds("lateness.allowance"):
        raise ConfigError("ledger.horizon: shorter than lateness.allowance; late duplicates would count twice")


def _validate_security(settings: Settings) -> None:
    if settings.kafka.security == "sasl_plaintext" and not settings.kafka.allow_plaintext_password:
        raise ConfigError(
            "kafka.security: sasl_plaintext sends the password in clear; use sasl_ssl, "
            "or set kafka.allow_plaintext_password = true"
        )


def _validate_owners(settings: Settings) -> None:
    for cell in settings.owners:
        dimension, _, value = cell.partition(":")
        if dimension not in DIMENSIONS or not value:
            raise ConfigError(f'owners."{cell}": write it as "touchpoint:checkout" or "team:billing"')
