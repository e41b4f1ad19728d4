"""Apache Kafka's jars, from Maven Central into the checkout's cache, once."""

import fcntl
import re
import shutil
import subprocess
from pathlib import Path

POM = Path(__file__).parent / "kafka" / "pom.xml"
CACHE = Path(__file__).parents[2] / ".cache" / "kafka"
JAVA = 17


class Unavailable(Exception):
    """Kafka cannot run here; the message says what is missing."""


def kafka_jars() -> Path:
    """The folder of the jars, fetched first if need be; raises `Unavailable`."""
    _need_java()
    version = re.search(r"<version>(\d+\.\d+\.\d+)</version>", POM.read_text())
    if not version:
        raise Unavailable(f"{POM} names no Kafka version")
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / version[1]
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fetch(folder)
    return folder


def _need_java() -> None:
    java = shutil.which("java")
    if not java:
        raise Unavailable("java is missing; install a Java 17 runtime")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    major = re.search(r'version "(\d+)', said)
    if not major or int(major[1]) < JAVA:
        raise Unavailable(f"java is too old ({said.splitlines()[0] if said else '?'}); install Java {JAVA}")


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if not maven:
        raise Unavailable("mvn is missing; install Maven")
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    done = subprocess.run(
        [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", "-DincludeScope=runtime",
         f"-DoutputDirectory={partial}"],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise Unavailable(f"mvn could not fetch Kafka: {lines[0] if lines else done.returncode}")
    partial.rename(folder)
