"""A simulated company for the demo, the benchmarks and the tests: seeded, and without a clock of its own."""

from streams.simulation.company import Company
from streams.simulation.delivery import Message, Noise
from streams.simulation.traffic import Incident

__all__ = ["Company", "Incident", "Message", "Noise"]
