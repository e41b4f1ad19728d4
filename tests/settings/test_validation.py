"""Settings that cannot work together are refused, each with the key and the fix."""

import re
from pathlib import Path

import pytest

from streams.errors import ConfigError
from streams.settings import load


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[windows]\nlengths = []", 'windows.lengths: empty; name at least one window, e.g. ["24h"]'),
        ("[windows]\nlengths = ['soon']", "windows.lengths: not a duration"),
        ("[windows]\ncuts = ['shop']", "windows.cuts: 'shop' is no cut"),
        ("[windows]\nevery = 'daily'", "windows.every: not a duration"),
        ("[lateness]\nfuture = 'soon'", "lateness.future: not a duration"),
        ("[lateness]\nfinal_after = 'soon'", "lateness.final_after: not a duration"),
        ("[risk]\nrefresh = 'soon'", "risk.refresh: not a duration"),
        ("[ledger]\nhorizon = '24h'\n[lateness]\nallowance = '1h'", "ledger.horizon: at least 48h"),
        ("[ledger]\nhorizon = '29d'", "ledger.horizon: shorter than lateness.allowance"),
        ("[hours]\nzone = 'Mars/Olympus'", "hours.zone: 'Mars/Olympus' is no time zone"),
        ("[kafka]\nsecurity = 'sasl_plaintext'", "kafka.security: sasl_plaintext sends the password in clear"),
        ("[owners]\ncheckout = 'web-team'", 'owners."checkout": write it as "touchpoint:checkout"'),
        ("[owners]\n'shop:1' = 'web-team'", 'owners."shop:1": write it as "touchpoint:checkout"'),
    ],
)
def test_a_value_that_cannot_work_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "cxstream.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)):
        load(path, {})


def test_a_password_in_clear_can_be_allowed(tmp_path: Path) -> None:
    path = tmp_path / "cxstream.toml"
    path.write_text("[kafka]\nsecurity = 'sasl_plaintext'\nallow_plaintext_password = true")
    assert load(path, {}).kafka.security == "sasl_plaintext"
