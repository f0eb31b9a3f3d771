"""The observer of a rehearsal: after each statement it looks at what the statement did."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pgratchet import db, parse, wire
from pgratchet.apply.work import GUARDED
from pgratchet.model import (
    Event,
    Kind,
    Migration,
    Noticed,
    Observer,
    Statement,
    StatementEnded,
    StatementStarted,
    StepEnded,
    StepStarted,
)
from pgratchet.rehearsal.looking import Key, Look, Relation, relations
from pgratchet.rehearsal.records import MODES, Lock, Seen

TALK = {"DEBUG", "LOG", "INFO"}
"""What is said because we asked for it, and is not for people."""
TEMPORARY = re.compile(r"temporary file: path .* size (\d+)")
TELLING = re.compile(
    r"^(?:rewriting table|verifying table|building index|validating foreign|existing constraints on column .* are"
    r"|updated partition constraint|partition constraint .* is implied)"
)
READ = "SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_catalog.pg_stat_xact_user_tables"
OWN = "SELECT wal_bytes::bigint FROM pg_catalog.pg_stat_get_backend_wal(pg_catalog.pg_backend_pid())"
WITHOUT_A_LOOK = {"SET", "BEGIN", "START TRANSACTION"}
"""After these the file may still say which snapshot its transaction takes: a look would take it."""
STATEMENT = 400
"""Letters of a statement that are kept."""


@dataclass(slots=True)
class _State:
    """What is known between two statements."""

    relations: dict[int, Relation]
    wal: int
    size: int
    read: int = 0
    began: float = 0.0


class Watch:
    """What one run did, statement by statement; `hear` is its observer."""

    def __init__(
        self, connection: db.Connection, look: Look, known: dict[int, Relation], quiet: Observer
    ) -> None:
        self.known = known
        self.seen: list[Seen] = []
        self.kept: dict[Key, list[float]] = defaultdict(list)
        """When each lock was still there at the end of a statement."""
        self.first_wal, self.first_size = look.size()
        self.first_own = self._own = written(connection)
        self._connection = connection
        self._look = look
        self._pass_on = quiet
        self._now = _State(known, self.first_wal, self.first_size)
        self._heard: list[Noticed] = []
        self._may_log = _may_log(connection)

    def hear(self, event: Event) -> None:
        """Take an event of the run, and pass on what is for people."""
        match event:
            case StepStarted(migration=migration):
                # A step that starts again was rolled back: what it did has not happened.
                self.seen = [item for item in self.seen if item.script != migration.script]
                self._now.began = self._look.since = self._look.clock()
                self._look.now()
            case StatementStarted(statement=statement):
                with self._look.stopped():
                    self._own = written(self._connection) if statement.alone else None
                self._now.began = self._look.clock()
                if statement.number > 1:  # before the first one the step takes the locks that it needs
                    self._look.since = self._now.began
                self._heard = []
            case Noticed():
                self._heard.append(event)
            case StatementEnded(migration=migration, statement=statement, tag=tag, error=error):
                with self._look.stopped():
                    self._ended(migration, statement, tag or "", self._look.clock(), error)
            case StepEnded():
                self._look.now()
        if not (isinstance(event, Noticed) and event.severity in TALK):
            self._pass_on(event)

    def _ended(
        self, migration: Migration, statement: Statement, tag: str, ended: float, error: str | None
    ) -> None:
        before = self._now
        for key in self._look.now():
            self.kept[key].append(ended)
        wal, size = self._look.size()
        own = since(self._own, self._connection) if statement.alone and error is None else None
        item = Seen(
            script=migration.script,
            path=str(migration.path),
            number=statement.number,
            line=statement.line,
            column=statement.column,
            sql=statement.sql[:STATEMENT],
            tag=re.sub(r"(?: \d+)+$", "", tag),
            start=before.began,
            milliseconds=ended - before.began,
            rows=_rows(tag),
            wal=wal - before.wal if own is None else own,
            wal_exact=own is not None,
            temporary=_temporary(self._heard) if self._may_log else None,
            disk=size - before.size,
            reasons=tuple(text for text in _texts(self._heard, {"DEBUG"}) if TELLING.match(text)),
            notices=tuple(_texts(self._heard, {"NOTICE", "WARNING"})),
            drift=tuple(_guards(self._heard)) if migration.kind is not Kind.REPEATABLE else (),
            error=error,
        )
        self._now = replace(before, wal=wal, size=size)
        if error is None and item.tag not in WITHOUT_A_LOOK:
            item = self._looked(item, alone=statement.alone)
        self.seen.append(item)

    def _looked(self, item: Seen, *, alone: bool) -> Seen:
        """What the transaction itself sees of its work; nobody else does before it commits."""
        before, after = self._now.relations, relations(self._connection, inside=True)
        read = 0 if alone else int(str(wire.ask(self._connection, READ)[0][0]))
        more = read - self._now.read if read >= self._now.read else read
        self._now = replace(self._now, relations=after, read=read)
        return replace(
            item,
            read=None if alone else more,
            rewritten=() if item.tag == "TRUNCATE TABLE" else tuple(_rewritten(before, after, self.known)),
            built=tuple(_built(before, after, self.known)),
        )


def written(connection: db.Connection) -> int | None:
    """The bytes of WAL that a session has written; only between transactions, and from PostgreSQL 18 on."""
    if connection.info.server_version < 180000:
        return None
    wire.ask(connection, "SELECT pg_catalog.pg_stat_force_next_flush()")
    return int(str(wire.ask(connection, OWN)[0][0]))


def since(before: int | None, connection: db.Connection) -> int | None:
    """What it has written since then."""
    now = written(connection) if before is not None else None
    return None if now is None or before is None else now - before


def attributed(seen: Iterable[Seen], locks: Iterable[Lock]) -> tuple[Seen, ...]:
    """Give each lock to the statement that wants it: locks of a step with several tables are taken at its start."""
    items = list(seen)
    taken: dict[int, list[Lock]] = defaultdict(list)
    wanted = [_wanted(item.sql) for item in items]
    for lock in locks:
        by_name = [
            number
            for number, item in enumerate(items)
            if lock.start <= item.start + item.milliseconds
            and lock.end > item.start
            and _mode(wanted[number], lock.relation) == lock.mode
        ]
        in_time = [n for n, item in enumerate(items) if lock.start <= item.start + item.milliseconds]
        if found := by_name or in_time:
            taken[found[0]].append(lock)
    return tuple(
        replace(
            item, locks=tuple(sorted(taken[n], key=lambda lock: (-MODES.index(lock.mode), lock.relation)))
        )
        for n, item in enumerate(items)
    )


def _wanted(sql: str) -> dict[str, str]:
    """The mode in which a statement names each table, by the table's bare name."""
    found = {name.split(".")[-1].strip('"'): mode for name, mode in parse.targets(sql)}
    return {name: f"{mode.title().replace(' ', '')}Lock" for name, mode in found.items()}


def _mode(wanted: Mapping[str, str], relation: str) -> str | None:
    return wanted.get(relation.rsplit(".", maxsplit=1)[-1].strip('"'))


def _rows(tag: str) -> int | None:
    found = re.fullmatch(r"(?:INSERT 0|UPDATE|DELETE|MERGE|COPY|SELECT) (\d+)", tag)
    return int(found[1]) if found else None


def _texts(heard: Iterable[Noticed], severities: set[str]) -> Iterable[str]:
    return (event.message for event in heard if event.severity in severities)


def _temporary(heard: Iterable[Noticed]) -> int:
    found = (TEMPORARY.match(event.message) for event in heard if event.severity == "LOG")
    return sum(int(size[1]) for size in found if size)


def _guards(heard: Iterable[Noticed]) -> Iterable[str]:
    """An extension is an administrator's to make: that it is there is no drift."""
    for event in heard:
        if event.sqlstate in GUARDED and not event.message.startswith("extension "):
            yield event.message


def _rewritten(
    before: Mapping[int, Relation], after: Mapping[int, Relation], known: Mapping[int, Relation]
) -> Iterable[str]:
    """Tables with a new file."""
    for oid in sorted(_anew(before, after) & known.keys()):
        if after[oid].kind in {"table", "materialized view"}:
            yield after[oid].name


def _built(
    before: Mapping[int, Relation], after: Mapping[int, Relation], known: Mapping[int, Relation]
) -> Iterable[str]:
    """New indexes of tables that were there, and those that have a new file without their table.

    One that has the file of an old one was not built.
    """
    files = {relation.file for relation in before.values()}
    anew = _anew(before, after)
    for oid in sorted((after.keys() - before.keys()) | anew):
        relation = after[oid]
        new = relation.table not in anew if oid in anew else relation.file not in files
        if new and relation.kind == "index" and relation.table in known:
            yield relation.name


def _anew(before: Mapping[int, Relation], after: Mapping[int, Relation]) -> set[int]:
    return {oid for oid in after if oid in before and after[oid].file != before[oid].file}


def _may_log(connection: db.Connection) -> bool:
    return connection.execute("SELECT current_setting('log_temp_files')").fetchone() == ("0",)
