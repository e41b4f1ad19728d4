"""The floor of job J1: a bare aiokafka consumer that counts windows in a dictionary.

It does not deduplicate or correct records, and its state does not survive. `python -m bench.floor BROKERS EVENTS`
prints its figures.
"""

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from datetime import datetime

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.j1_input import WINDOW_S


class Answer(msgspec.Struct, gc=False):
    """The fields of an answer that the count needs."""

    time: datetime
    touchpoint: str
    channel: str
    kind: str
    score: int


async def count(brokers: str, events: int, partitions: int) -> dict[str, float]:
    """Read the surveys from the beginning and count the answers of each window and cell."""
    windows: Counter[tuple[str, str, str, int, int]] = Counter()
    decode = msgspec.json.Decoder(Answer).decode
    consumer = AIOKafkaConsumer(
        bootstrap_servers=brokers, enable_auto_commit=False, auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
    )  # fmt: skip
    await consumer.start()
    consumer.assign([TopicPartition("cx.surveys.v1", partition) for partition in range(partitions)])
    seen, began, cpu = 0, 0.0, 0.0
    while seen < events:
        for records in (await consumer.getmany(timeout_ms=1000, max_records=16_000)).values():
            if not seen:
                began, cpu = time.perf_counter(), time.process_time()
            for record in records:
                answer = decode(record.value or b"")
                window = int(answer.time.timestamp()) // WINDOW_S
                windows[answer.kind, answer.touchpoint, answer.channel, window, answer.score] += 1
            seen += len(records)
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    await consumer.stop()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"events_per_s": seen / seconds, "cpu_s_per_million": used / seen * 1e6, "peak_mb": memory}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(count(sys.argv[1], int(sys.argv[2]), 4))))
