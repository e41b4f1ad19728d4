"""A believable company for the demo, the benchmarks and the tests: seeded, without a clock of its own."""

from streams.cli.simulator.company import Company
from streams.cli.simulator.delivery import Message, Noise
from streams.cli.simulator.traffic import Incident

__all__ = ["Company", "Incident", "Message", "Noise"]
