"""The progress of an import on a terminal and elsewhere."""

import io

from rich.console import Console

from streams.importing.progress import BarProgress, LineProgress, progress_on


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_a_line_is_written_every_few_seconds() -> None:
    out, now = io.StringIO(), iter([0.0, 4.9, 5.0, 5.0, 9.9, 10.0, 10.0])
    lines = LineProgress(out, lambda: next(now), interval_s=5.0)
    for rows in (1_000, 2_000, 3_000, 4_000):
        lines.step("reading", rows, rows / 8_000, 1_234.5)
    assert out.getvalue() == "reading: 2,000 rows, 25%, 1,234/s\nreading: 4,000 rows, 50%, 1,234/s\n"


def test_on_a_terminal_a_bar_shows_rows_and_rate() -> None:
    out = Terminal()
    bars = BarProgress(Console(file=out, force_terminal=True, width=100))
    bars.step("reading", 2_000, 0.25, 1_000.0)
    bars.close()
    assert "reading" in out.getvalue()
    assert "2,000 rows, 1,000/s" in out.getvalue()


def test_the_kind_of_output_decides_between_bars_and_lines() -> None:
    assert isinstance(progress_on(io.StringIO(), lambda: 0.0), LineProgress)
    bars = progress_on(Terminal(), lambda: 0.0)
    bars.close()
    assert isinstance(bars, BarProgress)
