"""docs/metrics.md is what its script writes from the declarations of the metrics."""

from tests.docs import metrics_page


def test_the_committed_page_is_what_its_script_writes() -> None:
    assert metrics_page.OUTPUT.read_text() == metrics_page.build(), "run make metrics-doc"
