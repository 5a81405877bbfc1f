"""Run the measurements of tests/bench and write the README's table of them.

`python -m tests.figures [--write] [NAME ...]` runs all, or the named ones, and prints what they print; with
--write the rows of the README's section *Performance* that came out are replaced. PostgreSQL and the real
Redmine are used where they are installed.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.services.layout import why_not_usable
from tests.services.run import ServiceRun

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
HEAD = "| what | here | the bare way |\n|---|---|---|\n"
TIMEOUT_S = 3600
TIMED_OUT = 124
# Measurements that take the address of an empty PostgreSQL database.
WANT_DATABASE = frozenset({"commit_to_frame"})


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: which measurement prints it, where, and how it is written."""

    bench: str
    what: str
    pattern: str
    here: str
    bare: str = ""

    def written(self, output: str) -> str:
        """Return the line of the table. Raises ValueError where the output does not hold it."""
        found = re.search(self.pattern, output, re.DOTALL)
        if found is None:
            raise ValueError(f"{self.bench} did not print what the table wants for: {self.what}")
        cells = (text.format(**found.groupdict()) for text in (self.here, self.bare))
        return f"| {self.what} | {' | '.join(cells)} |\n"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measurement printed and the exit code it ended with: other than 0 where it missed its target."""

    bench: str
    output: str
    code: int


LOAD_LINE = (
    r"load {}: [^\n]*median (?P<{}50>[\d.]+) ms, p99 (?P<{}99>[\d.]+) ms, (?P<{}kib>\d+) KiB a client,"
    r" CPU (?P<{}cpu>\d+) %, \d+ connects/s, all back after (?P<{}back>[\d.]+) s, 0 with other news than"
)
LOAD = LOAD_LINE.format(r"viewer \(\w+\)", *"a" * 5) + ".*" + LOAD_LINE.format(r"npm socket\.io", *"b" * 5)
FRAME = (
    r"commit_to_frame {}: [^\n]*?: median (?P<m>[\d.]+) ms, p99 (?P<p>[\d.]+) ms;"
    r" bare: median (?P<bm>[\d.]+) ms, p99 (?P<bp>[\d.]+) ms"
)
RECORD = r"record \({}\): (?P<a>[\d,]+) rows/s, bare executemany (?P<b>[\d,]+), ratio (?P<r>[\d.]+)"
TASKS = r"my_tasks \(sqlite\): [^\n]*?: (?P<n>\d+) statements, median (?P<s>[\d.]+) ms"
SWEEP = r" +{} +wall +(?P<{}s>[\d.]+) s +CPU +(?P<{}c>[\d.]+) s +median round trip (?P<{}m>[\d.]+) ms\n"
ROWS = (
    Row(
        "record",
        "notifications recorded on SQLite",
        RECORD.format("sqlite"),
        "{a} a second",
        "`executemany` of finished rows {b}: ratio {r}",
    ),
    Row("record", "the same on PostgreSQL", RECORD.format("postgresql"), "{a} a second", "{b}: ratio {r}"),
    Row(
        "commit_to_frame",
        "commit to frame, 50 a second, 200 clients",
        FRAME.format("sqlite"),
        "median {m} ms, p99 {p} ms",
        "commit, datagram, emit: {bm} and {bp} ms",
    ),
    Row(
        "commit_to_frame",
        "the same frames on PostgreSQL",
        FRAME.format("postgresql"),
        "median {m} ms, p99 {p} ms",
        "commit, NOTIFY, emit: {bm} and {bp} ms",
    ),
    Row(
        "load",
        "2,000 signed-in pages on two workers, 100 personal notifications a second",
        LOAD,
        "median {a50} ms, p99 {a99} ms, CPU {acpu} % of a core",
        "npm socket.io, two processes: {b50} and {b99} ms, {bcpu} %",
    ),
    Row("load", "memory of each such page", LOAD, "{akib} KiB", "npm socket.io {bkib} KiB"),
    Row(
        "load",
        "the viewer restarted under that load: all 2,000 back",
        LOAD,
        "{aback} s, nothing lost or doubled",
        "npm socket.io {bback} s",
    ),
    Row(
        "poll_to_frame",
        "the poll's answer to the frame",
        r"poll_to_frame: [^\n]*median (?P<m>\d+) ms, [^\n]*best (?P<best>\d+) ms;"
        r"[^\n]*median (?P<bare>\d+) ms",
        "median {m} ms, best {best} ms",
        "Redmine's three answers alone {bare} ms",
    ),
    Row(
        "my_tasks",
        "my tasks: 1,000 among 20,000 issues, 1,000,000 notifications",
        TASKS + r".*?my_tasks \(postgresql\): [^\n]*?median (?P<p>[\d.]+) ms",
        "{n} statements, median {s} ms (SQLite), {p} ms (PostgreSQL)",
    ),
    Row(
        "icmp",
        "1,000 hosts, 50 of them dead, 5 echoes each",
        r"1000 hosts, 50 dead, (?P<lossy>\d+) lossy[^\n]*\n"
        + SWEEP.format("ours", *"aaa")
        + SWEEP.format("fping", *"bbb")
        + r" +loss said (?P<said>\d+) of (?P<lost>\d+) echoes dropped, wrong for 0 hosts\n"
        r"[^\n]*: (?P<r>[\d.]+)",
        "{as} s, CPU {ac} s, median round trip {am} ms; "
        "{lossy} more are lossy: {said} of {lost} dropped echoes found",
        "fping {bs} s, CPU {bc} s, {bm} ms: ratio {r}",
    ),
    Row(
        "erp",
        "a poll of 100,000 people of the ERP, one query",
        r"erp poll \(100,000 [^\n]*first (?P<first>[\d.]+) s, then (?P<then>[\d.]+) s; one query;[^\n]*\n"
        r"erp memory: [^\n]*: daemon (?P<daemon>[+-]\d+) MB, process that asks (?P<reader>[+-]\d+) MB",
        "{then} s, the first time {first} s",
        "memory beside 50,000 people: daemon {daemon} MB, process that asks {reader} MB",
    ),
    Row(
        "push",
        "push messages encrypted, signed and sent, 16 at once",
        r"by the channel +(?P<a>[\d,]+)/s, of npm (?P<r>[\d.]+), of encryption (?P<e>[\d.]+)\n"
        r" +npm web-push +(?P<b>[\d,]+)/s",
        "{a} a second, {e} of encryption and signing alone",
        "npm web-push {b}: ratio {r}",
    ),
    Row(
        "inbox",
        "the inbox of somebody with 50,000 notifications",
        r"inbox \(sqlite\), /notifications: (?P<s>\d+) ms.*?"
        r"inbox \(postgresql\), /notifications: (?P<p>\d+) ms",
        "whole page {s} ms (SQLite), {p} ms (PostgreSQL)",
    ),
    Row(
        "catch_up",
        "catching up with 1,000 changes among 20,000 issues",
        r"in (?P<q>\d+) requests: (?P<a>[\d.]+) changes/s,[^\n]*requests (?P<b>[\d.]+), ratio (?P<r>[\d.]+)",
        "{a} a second",
        "keep-alive loop of the same {q} requests {b}: ratio {r}",
    ),
)


def main(arguments: Sequence[str]) -> int:
    """Measure all, print, and write where asked; 1 where a measurement failed or missed its target."""
    names = [name for name in arguments if name != "--write"]
    found = list(measured(names or dict.fromkeys(row.bench for row in ROWS)))
    fault = written(found) if "--write" in arguments else ""
    failed = [f"{one.bench} ended with {one.code}" for one in found if one.code] + [fault] * bool(fault)
    if failed:
        print("; ".join(failed), file=sys.stderr)
    return int(bool(failed))


def written(found: Sequence[Measured]) -> str:
    """Put what was measured into the README; return what could not be, "" where all could."""
    text, faults = README.read_text(), []
    for one in found:
        try:
            text = renewed(text, {one.bench: one.output})
        except ValueError as e:  # the rows of the others are not lost for it
            faults.append(str(e))
    README.write_text(text)
    return "; ".join(faults)


def measured(names: Iterable[str]) -> Iterator[Measured]:
    """Yield what each measurement prints; a target that it misses is no reason not to write it down."""
    run = None if why_not_usable() else ServiceRun()
    try:
        for name in names:
            command = [sys.executable, "-m", f"tests.bench.{name}"]
            if run is not None and name in WANT_DATABASE:
                command.append(f"postgresql+psycopg://{run.cluster.dsn(run.new_database())}")
            one = ended(name, command)
            print(one.output, end="", flush=True)
            yield one
    finally:
        if run is not None:
            run.stop()


def ended(name: str, command: Sequence[str], timeout_s: float = TIMEOUT_S) -> Measured:
    """Run a measurement to its end; one that takes too long is killed, with the exit code of timeout(1)."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return Measured(name, process.communicate()[0], TIMED_OUT)
    return Measured(name, output, process.returncode)


def renewed(text: str, outputs: Mapping[str, str]) -> str:
    """Return the README with the rows of these measurements; the others stay as they are."""
    before, _, rest = text.partition(BEGIN)
    table, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"the README has no {BEGIN.strip()} … {END.strip()}")
    present = {line.split("|")[1].strip(): f"{line}\n" for line in table.splitlines()[2:] if line}
    fresh = {row.what: row.written(outputs[row.bench]) for row in ROWS if row.bench in outputs}
    lines = [(present | fresh).get(row.what, "") for row in ROWS]
    return f"{before}{BEGIN}{HEAD}{''.join(lines)}{END}{after}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
