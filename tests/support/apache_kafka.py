"""Apache Kafka on this machine: one node or several, on loopback, in a temporary folder."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.local.embedded_broker import HOST, answers, with_parent_death_signal
from tests.support.jars import kafka_jars
from tests.support.ports import free_port
from tests.support.processes import is_stopped, wait_until

READY_SECONDS = 90.0
CLUSTER_ID = "Y3hzdHJlYW0tdGVzdHMtMQ"
_JVM = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


class KafkaCluster:
    """`nodes` brokers, each also a controller; topics may be replicated on all of them.

    A node is killed, paused, resumed and started again by its index. Clients speak `protocol` with
    them, whose details are `properties`.
    """

    def __init__(
        self, nodes: int = 1, protocol: str = "PLAINTEXT", properties: Mapping[str, str] | None = None
    ) -> None:
        self._jars = kafka_jars()
        self._folder = Path(tempfile.mkdtemp(prefix="cxstream-kafka-"))
        self._ports = [(free_port(), free_port(), free_port()) for _ in range(nodes)]
        self._protocol = protocol
        self._extra = "".join(f"{key}={value}\n" for key, value in (properties or {}).items())
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * nodes

    @property
    def address(self) -> str:
        """What `kafka.brokers` should be: all nodes."""
        return ",".join(f"{HOST}:{port}" for port, _, _ in self._ports)

    @property
    def nodes(self) -> int:
        return len(self._ports)

    def start(self) -> Self:
        try:
            for node in range(self.nodes):
                self._configure(node)
                self.start_node(node)
            self.wait_ready(self.nodes)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        for node in range(self.nodes):
            self.kill(node)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start_node(self, node: int) -> None:
        """Start a node (again, with the data it had)."""
        with self._log(node).open("ab") as log:
            self._processes[node] = subprocess.Popen(
                with_parent_death_signal(self._java("kafka.Kafka", str(self._config(node)))),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def kill(self, node: int) -> None:
        """End a node at once, as kill −9 does."""
        process = self._processes[node]
        if process:
            process.kill()
            process.wait()
            self._processes[node] = None

    def pause(self, node: int) -> None:
        """Stop a node's clock, so to say: it keeps its connections and answers nothing."""
        self._signal(node, signal.SIGSTOP)
        process = self._processes[node]
        if process is not None:  # its threads stop one by one, and one that has not can still answer
            wait_until(f"node {node} stopped", lambda: is_stopped(process.pid))

    def resume(self, node: int) -> None:
        self._signal(node, signal.SIGCONT)

    def wait_ready(self, nodes: int, within: float = READY_SECONDS) -> None:
        """Until `nodes` brokers are members of the cluster; raises `TimeoutError` with the last log lines."""
        deadline = time.monotonic() + within
        while self._members() < nodes:
            if time.monotonic() > deadline or self._ended():
                raise TimeoutError(
                    f"Apache Kafka: {self._members()} of {nodes} nodes after {within:g} s; {self._last_words()}"
                )
            time.sleep(0.1)

    def _members(self) -> int:
        # a broker serves its port only once it is a member of the cluster
        return sum(answers(internal) for _, _, internal in self._ports)

    def _ended(self) -> bool:
        return any(process and process.poll() is not None for process in self._processes)

    def _last_words(self) -> str:
        return " | ".join(
            line for node in range(self.nodes) for line in self._log(node).read_text(errors="replace").splitlines()[-3:]
        )

    def _signal(self, node: int, number: signal.Signals) -> None:
        process = self._processes[node]
        if not process:
            raise ValueError(f"node {node} does not run")
        process.send_signal(number)

    def _config(self, node: int) -> Path:
        return self._folder / f"node-{node}.properties"

    def _log(self, node: int) -> Path:
        return self._folder / f"node-{node}.log"

    def _java(self, main: str, *arguments: str) -> list[str]:
        java = shutil.which("java") or "java"
        return [java, *_JVM, "-cp", f"{self._jars}/*", main, *arguments]

    def _configure(self, node: int) -> None:
        self._config(node).write_text(self._properties(node))
        subprocess.run(
            self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._config(node))),
            check=True, capture_output=True,
        )  # fmt: skip

    def _properties(self, node: int) -> str:
        port, controller, internal = self._ports[node]
        voters = ",".join(f"{n}@{HOST}:{ports[1]}" for n, ports in enumerate(self._ports))
        insync = max(1, self.nodes - 1)
        return f"""\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CLIENT:{self._protocol},CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT
inter.broker.listener.name=INTERNAL
listeners=CLIENT://{HOST}:{port},CONTROLLER://{HOST}:{controller},INTERNAL://{HOST}:{internal}
advertised.listeners=CLIENT://{HOST}:{port},INTERNAL://{HOST}:{internal}
log.dirs={self._folder}/data-{node}
auto.create.topics.enable=false
default.replication.factor={self.nodes}
min.insync.replicas={insync}
offsets.topic.replication.factor={self.nodes}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={self.nodes}
transaction.state.log.min.isr={insync}
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
broker.session.timeout.ms=6000
controlled.shutdown.enable=false
log.cleaner.backoff.ms=200
log.retention.check.interval.ms=500
log.initial.task.delay.ms=500
{self._extra}"""
