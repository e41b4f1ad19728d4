"""Every metric is declared once, is listed, and is exported as it is declared."""

import pytest

from streams.runtime import metric_catalogue
from streams.runtime.metric_catalogue import MetricFamily, families


def test_every_declared_metric_is_listed_once() -> None:
    declared = [value for value in vars(metric_catalogue).values() if isinstance(value, MetricFamily)]
    assert families() == declared
    assert len({family.name for family in families()}) == len(declared)


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_names_follow_the_conventions_of_prometheus(family: MetricFamily) -> None:
    assert family.name.startswith("cxstream_")
    assert family.name.endswith("_total") == (family.kind == "counter")
    if family.kind == "histogram":
        assert family.name.endswith(("_seconds", "_bytes"))
    assert bool(family.buckets) == (family.kind == "histogram")
    assert family.help
    assert not family.help.endswith(".")
