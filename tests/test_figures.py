"""The README's table of figures is what the measurements print."""

import pytest

from tests.bench import load
from tests.figures import BEGIN, END, README, ROWS, renewed
from tests.load.phases import Figures

OURS = Figures(300, 33.4, 3.25, 8.04, 61, 6.06, 0)
THEIRS = Figures(1_200, 27.1, 2.5, 5.5, 12, 3.3, 0)
RECORD = (
    "record (sqlite): 29,812 rows/s, bare executemany 57,301, ratio 0.52\n"
    "record (postgresql): 17,204 rows/s, bare executemany 26,012, ratio 0.66\n"
)
ROW = "| memory of each such page | old | old |\n"
TABLE = f"before\n{BEGIN}| what | here | the bare way |\n|---|---|---|\n{ROW}{END}after\n"


def printed() -> str:
    """Return what the measurement of load prints."""
    return f"{load.line('viewer (sqlite)', OURS)}\n{load.line('npm socket.io', THEIRS)}\n"


def test_what_a_measurement_prints_becomes_its_rows() -> None:
    text = renewed(TABLE, {"load": printed(), "record": RECORD})
    assert "| memory of each such page | 33 KiB | npm socket.io 27 KiB |\n" in text
    assert "| median 3.2 ms, p99 8.0 ms, CPU 61 % of a core |" in text
    assert "| npm socket.io, two processes: 2.5 and 5.5 ms, 12 % |\n" in text
    assert "all 2,000 back | 6.1 s, nothing lost or doubled | npm socket.io 3.3 s |\n" in text
    assert "| the same on PostgreSQL | 17,204 a second | 26,012: ratio 0.66 |\n" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")


def test_rows_that_were_not_measured_stay() -> None:
    assert ROW in renewed(TABLE, {"record": RECORD})


def test_a_measurement_that_prints_something_else_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="record did not print"):
        renewed(TABLE, {"record": "nothing of the kind"})


def test_pages_with_other_news_than_the_tables_are_no_figure() -> None:
    lossy = printed().replace("0 with other news", "1 with other news", 1)
    with pytest.raises(ValueError, match="load did not print"):
        renewed(TABLE, {"load": lossy})


def test_the_readme_holds_the_rows_in_their_order() -> None:
    _, _, table = README.read_text().partition(BEGIN)
    table, _, _ = table.partition(END)
    names = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    assert names
    assert names == [row.what for row in ROWS if row.what in names]
