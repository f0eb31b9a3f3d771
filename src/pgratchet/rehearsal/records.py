"""What a rehearsal saw: frozen records, and how they are kept as JSON. Times are milliseconds since the run began."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pgratchet.findings import Severity

READS, WRITES, CHANGES = "reads and writes", "writes", "changes of the schema and VACUUM"
BLOCKS = {
    "AccessExclusiveLock": READS,
    "ExclusiveLock": WRITES,
    "ShareRowExclusiveLock": WRITES,
    "ShareLock": WRITES,
    "ShareUpdateExclusiveLock": CHANGES,
}
"""What a lock on a table keeps others from; a weaker one keeps nobody from what an application does."""
MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
"""From the weakest."""


class Answer(StrEnum):
    """What a rehearsal says of the plan."""

    GO = "go"
    CARE = "go with care"
    NO_GO = "no go"


@dataclass(frozen=True, slots=True)
class Part:
    """What a sample has of a table."""

    table: str
    rows: int
    total: int
    """As many as the table has."""
    partitions: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """How many rows one row of the sample stands for."""
        return self.total / self.rows if self.rows else 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Of each table so many rows, and those that they refer to."""

    rows: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """On what the plan was rehearsed, and why on that."""

    way: str
    """template, dump, sample, schema, backup, cluster or prepared."""
    said: str
    """The choice in a sentence."""
    bytes: int
    seconds: float
    sample: Sample | None = None
    """Where it has not all rows: all times and sizes of the run are estimates then."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on a relation that was there before the run."""

    relation: str
    kind: str
    """table, index, sequence, view, materialized view, TOAST table, …"""
    mode: str
    start: float
    end: float
    sampled: bool = False
    """Seen in passing only: taken and given back within one statement."""

    @property
    def milliseconds(self) -> float:
        """How long it was held."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Latency:
    """How long transactions of a workload took."""

    transactions: int
    """Those that went well; the times are theirs."""
    p50: float
    p99: float
    worst: float
    failed: int = 0
    failures: tuple[str, ...] = ()
    """What the server said to those that failed."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload that ran on the copy before the plan, beside it and after it."""

    script: str
    by: str
    """The program that ran it."""
    clients: int
    before: Latency | None
    during: Latency | None
    after: Latency | None


@dataclass(frozen=True, slots=True)
class Weighed:
    """A finding of `check` beside what was seen of its statement."""

    rule: str
    where: str
    statement: str
    """Where the statement begins that it is about."""
    message: str
    said: Severity | None
    """How bad `check` calls it; None where it did not see it."""
    counts: Severity
    """How bad it is after what was seen."""
    why: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One statement and what it did."""

    script: str
    path: str
    number: int
    line: int
    sql: str
    tag: str
    """The server's word for what it was."""
    start: float
    milliseconds: float
    rows: int | None = None
    """Changed or returned, as the server's word says."""
    read: int | None = None
    """Rows of tables that were there before, read one after the other."""
    wal: int = 0
    wal_exact: bool = False
    """What its own session wrote; else what the whole server wrote meanwhile."""
    temporary: int | None = None
    """Bytes of temporary files; None where we may not ask for them."""
    disk: int = 0
    """Bytes by which the database was larger after the statement."""
    locks: tuple[Lock, ...] = ()
    rewritten: tuple[str, ...] = ()
    built: tuple[str, ...] = ()
    """Indexes of tables that were there before, new ones and such as were built anew without their table."""
    reasons: tuple[str, ...] = ()
    """The server's own words for a scan, a rewrite or a build."""
    notices: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    """What a guard such as IF NOT EXISTS found there before the file had ever run."""
    error: str | None = None
    column: int = 1
    latency: Latency | None = None
    """Of the workload's transactions that were not over when it began, and had begun when it ended."""
    scaled: float = 1.0
    """What its time and its sizes were multiplied with, since it worked on a sample."""

    @property
    def where(self) -> str:
        """The place, as editors understand it."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Blocked:
    """For how long reads and writes of a table would have been refused."""

    table: str
    reads: float
    writes: float
    measured: bool
    """By clients that tried; else from the locks that were held."""
    read_spans: tuple[tuple[float, float], ...] = ()
    write_spans: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that was proven of a file, or not."""

    script: str
    what: str
    holds: bool
    detail: str = ""
    weighs: Answer | None = None
    """The answer that it stands for where it does not hold; None: it is told, and changes nothing."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the answer is not a plain go."""

    answer: Answer
    what: str
    where: str | None
    """The file and the line."""
    safe: str
    """The safe form, or what to do."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was rehearsed: `up --require-rehearsal` wants the same again."""

    files: tuple[tuple[str, str], ...]
    """The name and the checksum of each file, in the order of the plan."""
    major: int
    fingerprint: str
    """Of the catalogue before the run."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen of one run of the plan on a copy."""

    milliseconds: float
    statements: tuple[Seen, ...]
    blocked: tuple[Blocked, ...]
    wal: int
    disk: int
    """Bytes by which the database was larger at its largest."""
    failure: str | None = None
    failed_at: str | None = None
    looked: float = 0.0
    """Milliseconds in which the run waited for our looks; no other time here holds them."""
    interval: float = 0.0
    """Milliseconds between two tries of a client, at the most."""
    wal_own: int | None = None
    """What the session of the run itself wrote; None before PostgreSQL 18, which counts it."""
    workload: Workload | None = None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The plan, run on a copy, watched, and judged."""

    answer: Answer
    reasons: tuple[Reason, ...]
    database: str
    subject: Subject
    copy: Copy
    run: Run
    proofs: tuple[Proof, ...]
    findings: tuple[Weighed, ...]
    notes: tuple[str, ...]
    limits: dict[str, float]
    at: str
    tool: str


def blocks(lock: Lock) -> str | None:
    """What a lock keeps an application from; an index's keeps it from what its table is used for."""
    if lock.kind == "index" and lock.mode == "AccessExclusiveLock":
        return READS
    return BLOCKS.get(lock.mode) if lock.kind in {"table", "materialized view"} else None
