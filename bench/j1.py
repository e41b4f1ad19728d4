"""Job J1: the survey answers per second that one worker turns into exact windows, with durable state.

`python -m bench.j1` sends the input: the surveys topic with 4 partitions, 250-byte JSON, 10,000 customers, 2 % late,
1 % duplicate, 1 % corrected; NPS and CES for each touchpoint × channel in 60 s windows. It then measures in turn a bare
aiokafka consumer with windows in a dictionary (the floor: no deduplication, no corrections, no durable state) and one
cxstream worker. Every window of every cell is compared with a naive count. The last line is JSON; figures are medians.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from bench.j1_input import Key, expected, generate
from schemas.catalogue import SURVEYS, TOPICS
from streams.core.time.instants import to_ms
from streams.local.embedded_broker import EmbeddedBroker
from streams.replaying.results import read_results
from streams.runtime.connection import aiokafka_options
from streams.runtime.topics import create_topics
from streams.settings import ENV_PREFIX, Settings, load

SEED = 1
JOB = {
    "APP_MODE": "replay",
    "WINDOWS_LENGTHS": "60s",
    "WINDOWS_CUTS": "touchpoint+channel",
    "WINDOWS_EVERY": "60s",
    "LATENESS_FINAL_AFTER": "10m",
    "RISK_ENABLED": "false",
    "KAFKA_SESSION_TIMEOUT": "6",
    "METRICS_STREAMS_PORT": "0",
}
_IN_FLIGHT = 20_000
Figures = dict[str, float]


@click.command()
@click.option("--events", default=1_000_000, show_default=True, help="How many events.")
@click.option("--rounds", default=3, show_default=True, help="How often each of the two is measured.")
@click.option("--brokers", default="", help="Measure on this empty broker.  [default: the embedded one]")
@click.option("--kafka", is_flag=True, help="Start an Apache Kafka node and measure on it (needs Java and Maven).")
def main(events: int, rounds: int, brokers: str, kafka: bool) -> None:
    """Measure job J1; the last line printed is JSON."""
    with _broker(brokers, kafka) as address:
        asyncio.run(_produce(_settings(address, "j1"), events))
        floors, ours, exact = [], [], True
        for number in range(rounds):
            floors.append(_run("bench.floor", address, str(events)))
            settings = _settings(address, f"j1-{number}")
            create_topics(settings)
            ours.append(_run("bench.j1_worker", settings=settings))
            wrong = _differences(settings, events)
            exact = exact and not wrong
            _print_round(number, floors[-1], ours[-1], wrong)
            asyncio.run(_delete_outputs(settings))
    print(json.dumps(_summary(events, floors, ours, exact)))
    sys.exit(not exact)


@contextmanager
def _broker(brokers: str, kafka: bool) -> Iterator[str]:
    if brokers:
        yield brokers
    elif kafka:
        from tests.support.apache_kafka import KafkaCluster  # starting one is a part of the tests

        with KafkaCluster() as cluster:
            yield cluster.address
    else:
        with EmbeddedBroker() as broker:
            yield broker.address


def _environment(address: str, name: str) -> dict[str, str]:
    own = {**JOB, "KAFKA_BROKERS": address, "KAFKA_PREFIX": f"{name}.", "APP_ID": name}
    return {ENV_PREFIX + key: value for key, value in own.items()}


def _settings(address: str, name: str) -> Settings:
    return load(env=_environment(address, name))


async def _produce(settings: Settings, events: int) -> None:
    create_topics(settings)
    producer = AIOKafkaProducer(**aiokafka_options(settings), linger_ms=20, max_batch_size=262_144)
    await producer.start()
    sent = []
    for key, value in generate(events, SEED):
        sent.append(await producer.send(SURVEYS.name, value, key=key))
        if len(sent) >= _IN_FLIGHT:
            await asyncio.gather(*sent)
            sent = []
    await asyncio.gather(*sent)
    await producer.stop()


def _run(module: str, *arguments: str, settings: Settings | None = None) -> Figures:
    own = {} if settings is None else _environment(settings.kafka.brokers, settings.app.id)
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, env=os.environ | own, stdout=subprocess.PIPE, text=True, check=True)
    return msgspec.json.decode(done.stdout, type=dict[str, float])


def _differences(settings: Settings, events: int) -> list[str]:
    """Windows that differ from the naive count, without those of the last minute: it is not over when the data end."""
    windows = expected(events, SEED)
    found = {
        (score.score, score.cell, to_ms(score.end)): (score.n, score.counts)
        for score in (result.score for result in asyncio.run(read_results(settings)))
        if score.score in ("nps", "ces2", "ces2_easy")
    }
    newest_ms = max(end_ms for _, _, end_ms in windows)
    return [
        _difference(key, found.get(key), window)
        for key, window in windows.items()
        if key[2] < newest_ms and found.get(key) != tuple(window)
    ]


def _difference(key: Key, found: object, window: object) -> str:
    return f"{key}: {found} instead of {window}"


async def _delete_outputs(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(**aiokafka_options(settings))
    await admin.start()
    sources = {topic.name for topic in TOPICS if topic.role == "source"}
    await admin.delete_topics([settings.topic(topic.name) for topic in TOPICS if topic.name not in sources])
    await admin.close()


def _print_round(number: int, floor: Figures, ours: Figures, wrong: list[str]) -> None:
    share = ours["events_per_s"] / floor["events_per_s"]
    click.echo(
        f"round {number + 1}: floor {floor['events_per_s']:,.0f}/s, cxstream {ours['events_per_s']:,.0f}/s "
        f"({share:.2f} of it), {ours['cpu_s_per_million']:.1f} CPU s per million, "
        f"{ours['peak_mb']:.0f} MB, {'all windows exact' if not wrong else f'{len(wrong)} windows WRONG'}",
        err=True,
    )
    for line in wrong[:5]:
        click.echo(f"  {line}", err=True)


def _summary(events: int, floors: list[Figures], ours: list[Figures], exact: bool) -> dict[str, object]:
    def median(figures: list[Figures], name: str) -> float:
        return round(statistics.median(one[name] for one in figures), 2)

    return {
        "job": "J1",
        "events": events,
        "rounds": len(ours),
        "events_per_s": median(ours, "events_per_s"),
        "cpu_s_per_million": median(ours, "cpu_s_per_million"),
        "peak_mb": median(ours, "peak_mb"),
        "exact": exact,
        "floor_events_per_s": median(floors, "events_per_s"),
        "floor_cpu_s_per_million": median(floors, "cpu_s_per_million"),
        "ratio_to_floor": round(
            statistics.median(o["events_per_s"] / f["events_per_s"] for o, f in zip(ours, floors, strict=True)), 3
        ),
    }


if __name__ == "__main__":
    main()
