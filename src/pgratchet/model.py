"""The nouns and the events: frozen records without input or output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What a file, or a row of the history, is."""

    VERSIONED = "versioned"
    BASELINE = "baseline"
    REPEATABLE = "repeatable"
    MARKED = "marked"
    """Recorded by the command `baseline`; its changes were there before the history."""
    ADOPTED = "adopted"


class Status(StrEnum):
    """How far a row of the history has come."""

    RUNNING = "running"
    APPLIED = "applied"
    FAILED = "failed"


class Control(StrEnum):
    """What a statement does to the transaction that it runs in."""

    BEGIN = "begin"
    COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class CopyData:
    """Where the inline data of `COPY … FROM stdin` lies in its file, in bytes, without the end marker."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement exactly as its file has it, without the closing semicolon.

    `number`, `line` and `column` count from 1; the column counts characters.
    """

    sql: str
    number: int
    line: int
    column: int
    copy: CopyData | None = None
    control: Control | None = None
    alone: bool = False
    """PostgreSQL refuses it inside a transaction block."""
    closes: bool = False
    """What it does can be used only after a commit (a new value of an enumerated type)."""
    doubtful: bool = False
    """The parser does not know its syntax; the server may."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Statements of a file that run in one transaction, or a single one that runs outside of any.

    `begin` is the file's own BEGIN, whose options hold for the segment; BEGIN and COMMIT are not among `statements`.
    """

    statements: tuple[Statement, ...]
    alone: bool = False
    begin: Statement | None = None


@dataclass(frozen=True, slots=True)
class Concurrent:
    """What a statement with CONCURRENTLY leaves behind, half done, where it is cut short.

    `action` is create_index, drop_index, reindex or detach. Names are quoted, and have a schema where the statement
    says one; `names` are the indexes (of detach: the partition), and empty for an index without a name.
    """

    action: str
    names: tuple[str, ...]
    table: str | None
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the migrations folder; `version` is None for a repeatable alone.

    `checksum` is the SHA-256 of the content without BOM and with LF line ends, in hexadecimal.
    """

    kind: Kind
    version: int | None
    description: str
    path: Path
    checksum: str

    @property
    def script(self) -> str:
        """The name of the file, by which people know the migration."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment that takes rules of `check` back: for one statement by its number, for the file by 0."""

    rules: tuple[str, ...]
    reason: str
    statement: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Script:
    """What a file's text says: its summary, and its statements where they are few enough to be kept."""

    statements: tuple[Statement, ...] | None
    """None for a file too large to be held in memory: `parse.statements` reads it piece by piece."""
    total: int
    tree_checksum: str
    directives: dict[str, str]
    transactional: bool
    """One transaction holds it all: no statement is alone, none closes, no control but one outer pair."""
    header: str = ""  # the comments above the first statement
    ignores: tuple[Ignore, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """One row of the history."""

    kind: Kind
    version: int | None
    description: str
    script: str
    status: Status
    checksum: str | None
    tree_checksum: str | None
    statements_done: int
    statements_total: int
    started_at: datetime
    applied_at: datetime | None
    execution_time_ms: int | None
    applied_by: str
    run_id: str | None = None
    journal: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A migration to be run, from which of its statements on (0: from the first)."""

    migration: Migration
    done: int = 0
    row: Applied | None = None
    """The row that an earlier, interrupted run left."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason not to run the plan: what is wrong, and what to do about it."""

    code: str
    message: str
    hint: str
    script: str | None = None
    """The file that it is about, where it is about one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be run, in order, and every reason not to. A plan with problems is never run."""

    steps: tuple[Step, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    applied: int = 0
    """How many rows of the history stand for done work."""
    version: int | None = None
    """The highest version applied."""
    fresh: bool = False
    """The database holds nothing yet: no history, no object of a user."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan with the text that it would run, by the files' names."""

    plan: Plan
    scripts: dict[str, Script]


class Standing(StrEnum):
    """How a migration stands, of files and history together."""

    APPLIED = "applied"
    BASELINE = "baseline"
    MARKED = "marked"
    PENDING = "pending"
    COVERED = "covered"
    """A baseline stands for it."""
    RUNNING = "running"
    FAILED = "failed"
    EDITED = "edited"
    MISSING = "missing"
    AHEAD = "ahead"
    """Applied by a newer build: these files do not know it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One migration as `status` shows it."""

    kind: Kind
    version: int | None
    description: str
    script: str
    standing: Standing
    applied_at: datetime | None = None
    execution_time_ms: int | None = None
    applied_by: str | None = None
    statements_done: int = 0
    statements_total: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """Files and history side by side."""

    database: str
    entries: tuple[Entry, ...]
    version: int | None
    pending: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one try may wait for a lock, how many seconds all tries together, and how many a build may take.

    50 ms was measured best beside a reader of 4 s and busy clients: no client waited over 100 ms behind us,
    and the change landed as soon as with any longer time-out.
    """

    lock_timeout: str = "50ms"
    budget: float = 600.0
    """From the first try that failed; a file may say its own."""
    deadline: float = 0.0
    """For one index build or validation, which waits and works as long as it takes where this is 0."""


@dataclass(frozen=True, slots=True)
class Done:
    """A step that ended well. `seconds` is its wall time as the server saw it."""

    migration: Migration
    seconds: float
    statements: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did. A failure carries the outcome up to it."""

    done: tuple[Done, ...] = ()
    notes: tuple[str, ...] = ()
    version: int | None = None
    applied: int = 0


class Verdict(StrEnum):
    """What a check before a run says of it."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Check:
    """One look at the live database before a run: what was found, and what to do about it."""

    name: str
    verdict: Verdict
    reason: str
    hint: str | None = None
    script: str | None = None
    """The file that it is about, where it is about one."""


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A migration begins; its place among the steps of the run, from 1."""

    migration: Migration
    position: int
    of: int


@dataclass(frozen=True, slots=True)
class StatementStarted:
    """A statement was given to the server and nothing before it is still running."""

    migration: Migration
    statement: Statement
    total: int


@dataclass(frozen=True, slots=True)
class StatementEnded:
    """Always follows `StatementStarted`, also on failure. `tag` is the server's command tag."""

    migration: Migration
    statement: Statement
    seconds: float
    tag: str | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Noticed:
    """The server said something: severity (NOTICE, WARNING, …) and text."""

    severity: str
    message: str
    sqlstate: str | None = None
    statement: Statement | None = None
    migration: Migration | None = None


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A migration ended; `error` is None where it went well."""

    migration: Migration
    seconds: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Progressed:
    """A statement still runs; `figures` is how far the server says it is, `who` those it waits for."""

    migration: Migration
    statement: Statement
    seconds: float
    figures: str
    who: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run waits for something: another runner, a lock, a server that is not there yet."""

    what: str
    seconds: float
    who: tuple[str, ...] = field(default=())


Event = StepStarted | StatementStarted | StatementEnded | Noticed | StepEnded | Progressed | Waiting
Observer = Callable[[Event], None]


def ignore(_: Event) -> None:
    """Observe nothing: the observer of a run that nobody watches."""
