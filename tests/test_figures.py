"""The README's table of figures is what the measurements print."""

import sys
from pathlib import Path

import pytest

from tests import figures
from tests.bench import erp, icmp, load, push
from tests.figures import BEGIN, END, README, ROWS, TIMED_OUT, Measured, ended, renewed
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


def test_what_failed_or_missed_its_target_ends_it_badly_once_all_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(TABLE)
    found = [Measured("load", "crashed\n", 1), Measured("record", RECORD, 3), Measured("other", "", 0)]
    monkeypatch.setattr(figures, "README", readme)
    monkeypatch.setattr(figures, "measured", lambda _names: iter(found))
    assert figures.main(["--write"]) == 1
    told = capsys.readouterr().err
    assert "load ended with 1; record ended with 3; load did not print" in told
    assert "29,812 a second" in readme.read_text()
    assert ROW in readme.read_text()
    assert figures.main([]) == 1
    found[:2] = [Measured("record", RECORD, 0)]
    assert figures.main(["--write"]) == 0


def test_loss_and_memory_are_what_was_printed() -> None:
    sweeps = (
        "1000 hosts, 50 dead, 20 lossy, 5 echoes each, load 0.4\n"
        f"{icmp.line('ours', 5.5, 0.31, 0.023)}\n{icmp.line('fping', 7.9, 0.24, 0.024)}\n"
        "  loss said 132 of 132 echoes dropped, wrong for 0 hosts\n  wall time, ours by fping's: 0.696\n"
    )
    people = f"{erp.Measured(100_000, [30.1, 9.4], 7.2, 80)}\n{erp.growth(-3.2, 6.4)}\n"
    text = renewed(TABLE, {"icmp": sweeps, "erp": people})
    assert "20 more are lossy: 132 of 132 dropped echoes found | fping 7.90 s, CPU 0.24 s" in text
    assert "| 9.4 s, the first time 30.1 s | memory beside 50,000 people: daemon -3 MB," in text
    for right, other in (("1000 hosts", "100 hosts"), ("wrong for 0", "wrong for 1")):
        with pytest.raises(ValueError, match="icmp did not print"):
            renewed(TABLE, {"icmp": sweeps.replace(right, other)})


def test_pushes_stand_beside_npms() -> None:
    ways = [("by the channel", 1_083), ("npm web-push", 902), ("encryption and signing alone", 2_000)]
    printed = "\n".join(push.line(name, rate, npm=902, bare=2_000) for name, rate in ways)
    assert (
        "| 1,083 a second, 0.54 of encryption and signing alone | npm web-push 902: ratio 1.20 |"
        in renewed(TABLE, {"push": f"{printed}\n"})
    )


def test_how_a_measurement_ends_is_noted() -> None:
    says = "print('so much', flush=True); import sys; "
    assert ended("x", [sys.executable, "-c", f"{says}sys.exit(3)"]) == Measured("x", "so much\n", 3)
    hangs = [sys.executable, "-c", f"{says}import threading; threading.Event().wait()"]
    assert ended("x", hangs, timeout_s=2).code == TIMED_OUT


def test_the_readme_holds_the_rows_in_their_order() -> None:
    _, _, table = README.read_text().partition(BEGIN)
    table, _, _ = table.partition(END)
    names = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    assert names == [row.what for row in ROWS]
