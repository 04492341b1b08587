"""The committed report of the comparison is that of the committed tables."""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def report(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import report

    yield report
    for name in ("report", "common"):
        sys.modules.pop(name, None)


def test_report_is_of_the_tables(report, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["report.py", "-o", str(tmp_path)])
    report.main()
    committed = BENCHMARKS / "results" / "report"
    assert (tmp_path / "report.md").read_text() == (committed / "report.md").read_text(), (
        "a table has changed: python benchmarks/report.py"
    )
    assert {each.name for each in tmp_path.iterdir()} == {each.name for each in committed.iterdir()}
