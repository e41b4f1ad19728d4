"""What the three public exports say, read with nothing but `csv`: the importer's oracle.

Each reader gives the events of one file in the order of their time, equal times in the order of the
file. Identities that the importer makes up are left to the tests: here a record is called by its row.
"""

import csv
import gzip
import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.support import loud

CHECKOUT = Path(__file__).resolve().parents[3]
TICKETS = "servicenow-incidents/incident_event_log.zip"
CALLS = "bank-calls/calls_1999-02_01-14.tsv.gz"
ANSWERS = "telco-nps/nps_2017-12_2018-03.csv"
ISRAEL_IN_WINTER = timezone(timedelta(hours=2))
CUSTOMERS = 500

Event = dict[str, Any]


def data(name: str) -> Path:
    """A file of the data folder; skips the test, loudly, where there is none."""
    folder = Path(os.environ.get("CXSTREAM_DATA", CHECKOUT.parent / "shared" / "data"))
    if not (folder / name).exists():
        loud.skip(f"real input: {name} is not in the data folder; set CXSTREAM_DATA")
    return folder / name


def ticket_changes() -> list[Event]:
    """Every row of the ServiceNow log is one change of one ticket."""
    with zipfile.ZipFile(data(TICKETS)) as archive, archive.open("incident_event_log/incident_event_log.csv") as raw:
        rows = list(csv.reader(io.TextIOWrapper(raw, "utf-8", newline="")))
    assert [i for i, name in enumerate(rows[0]) if name == "category"] == [16, 17]
    return _by_time([_ticket_change(row) for row in rows[1:]])


def _ticket_change(row: list[str]) -> Event:
    number, state, _, reassigned, reopened, changes = row[:6]
    return _present(
        {
            "event_id": f"{number} {changes} {row[13]}",
            "record_id": number,
            "time": _utc(row[13]),
            "opened_at": _utc(row[9]),
            "customer": row[7],
            "touchpoint": row[16],
            "team": row[23],
            "agent": row[24],
            "priority": row[22],
            "status": state,
            "reassignments": int(reassigned),
            "reopens": int(reopened),
            "channel": "direct" if row[14] == "Direct opening" else row[14].lower().replace(" ", "-"),
            "audience": "internal",
            "source": "servicenow",
            "change": _change(state, changes),
        }
    )


def _change(state: str, changes: str) -> str:
    if state in ("Resolved", "Closed"):
        return {"Resolved": "solved", "Closed": "closed"}[state]
    return "opened" if changes == "0" else "updated"


def calls() -> list[Event]:
    """Every row of the bank's log but the phantoms is one call, which counts when it is over."""
    with gzip.open(data(CALLS), "rt", newline="") as text:
        rows = list(csv.DictReader(text, delimiter="\t"))
    return _by_time([_call(row) for row in rows if row["outcome"] != "PHANTOM"])


def _call(row: dict[str, str]) -> Event:
    outcome = {"AGENT": "answered", "HANG": "abandoned" if row["q_start"] != "0:00:00" else "menu"}[row["outcome"]]
    return _present(
        {
            "record_id": f"{row['vru+line']}-{row['call_id']}-{row['date']}",
            "time": _end_of_call(row),
            "customer": "" if row["customer_id"] == "0" else row["customer_id"],
            "outcome": outcome,
            "channel": "phone",
            "queue": row["type"],
            "segment": "priority" if row["priority"] == "2" else "regular",
            "agent": row["server"].replace("NO_SERVER", ""),
            "wait": float(row["q_time"]),
            "talk": float(row["ser_time"]),
            "source": "bank-calls",
        }
    )


def _end_of_call(row: dict[str, str]) -> datetime:
    midnight = datetime.strptime(row["date"], "%y%m%d").replace(tzinfo=ISRAEL_IN_WINTER)
    begun = _seconds(row["vru_entry"])
    ends = [_seconds(row[name]) for name in ("vru_exit", "q_exit", "ser_exit") if row[name] != "0:00:00"]
    return (midnight + timedelta(seconds=max(e + 86_400 * (begun - e > 43_200) for e in ends))).astimezone(UTC)


def _seconds(time_of_day: str) -> int:
    hours, minutes, seconds = map(int, time_of_day.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def answers() -> list[Event]:
    """Every row of the NPS survey that has a score, given to an invented customer by its row number."""
    with data(ANSWERS).open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    return _by_time([_answer(number, row) for number, row in enumerate(rows, 1) if row["NPS_SCORE"]])


def _answer(number: int, row: dict[str, str]) -> Event:
    hashed, content = int(_hash(str(number), 8), 16), f"{number} " + "\x1f".join(row.values())
    return _present(
        {
            "record_id": f"telco-nps-{_hash(content, 12)}",  # decides between a customer's answers of one minute
            "time": _utc(row["CUSTOMER_RESPONSE_DATE"]),
            "survey": "telco-journey",
            "kind": "nps",
            "scale": "0-10",
            "score": row["NPS_SCORE"],
            "program": "transactional",
            "touchpoint": row["SURVEY_SUB_TYPE"],
            "customer": f"invented-{hashed % CUSTOMERS + 1}",
            "source": "telco-nps",
        }
    )


def _hash(text: str, size: int) -> str:
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()


def _utc(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)


def _present(event: Event) -> Event:
    return {name: value for name, value in event.items() if value not in ("", "?")}


def _by_time(events: list[Event]) -> list[Event]:
    ordered = sorted(events, key=lambda event: event["time"])
    return list(map(_with_text_times, ordered))


def _with_text_times(event: Event) -> Event:
    return {
        name: f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value for name, value in event.items()
    }


def keys(events: list[Event]) -> Iterator[str]:
    """The message key each event must have: its customer, or its record where there is none."""
    return (str(event.get("customer", event["record_id"])) for event in events)
