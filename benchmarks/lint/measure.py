"""Runs each form on a real server and writes down what it did: `python -m benchmarks.lint.measure URL …`.

Each form has a database of its own, copied from one that has setup.sql. Behind each of its statements, what it has
rewritten is seen by the files of the relations, what it has read and built by PostgreSQL's own messages and counters,
and its locks in pg_locks: a lock that comes after a scan is no hazard. A form that cannot be in a transaction is made
to wait behind writes of ours, so that a mode that blocks them is seen.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg

from pgratchet import parse

HERE = Path(__file__).parent
LISTS = (HERE, HERE / "second", HERE / "third")
"""The folders of the lists; all but the first were made when the rules stood, to see how they do on the unseen."""
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
BLOCKING = set(MODES[4:])
RELATIONS = """
SELECT oid, relname, relkind::text, coalesce(pg_relation_filenode(oid), 0) FROM pg_class
 WHERE relkind IN ('r', 'i', 'm', 'p', 'I', 't') AND oid >= 16384
"""
READ = "SELECT relid, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
LOCKS = "SELECT relation, mode FROM pg_locks WHERE locktype = 'relation' AND pid = %s AND database > 0"
WAITS = "SELECT relation, mode FROM pg_locks WHERE pid = %s AND NOT granted"
Connection = psycopg.Connection[tuple[Any, ...]]


def forms(text: str) -> list[str]:
    """The forms of a file: one or more statements each, divided by an empty line."""
    return [form.strip() for form in text.split("\n\n") if form.strip()]


def main() -> None:
    for folder in LISTS:
        listed = forms((folder / "forms.sql").read_text())
        measured: dict[str, dict[str, Any]] = {form: {} for form in listed}
        for url in sys.argv[1:]:
            version, results = measure(url, (folder / "setup.sql").read_text(), listed)
            for form, result in results.items():
                measured[form][version] = result
        (folder / "measured.json").write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n")
        print(f"{len(measured)} forms in {folder}")


def measure(url: str, setup: str, listed: list[str]) -> tuple[str, dict[str, Any]]:
    """The server's major version, and what each form did there."""
    results = {}
    with psycopg.connect(url, autocommit=True) as admin:
        version = str(admin.info.server_version // 10000)
        _create(admin, "lint_template", "template0")
        with psycopg.connect(_named(url, "lint_template"), autocommit=True) as connection:
            connection.execute(setup.encode())
        for number, form in enumerate(listed):
            name = f"lint_{number}"
            _create(admin, name, "lint_template")
            try:
                results[form] = look(_named(url, name), form)
            finally:
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        admin.execute("DROP DATABASE lint_template WITH (FORCE)")
        admin.execute("DROP ROLE pgratchet_bench")
    return version, results


def _create(admin: Connection, name: str, template: str) -> None:
    admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy".encode())


def _named(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


class Step(NamedTuple):
    """What one statement, or a form that cannot be in a transaction, did to what was there before the form."""

    before: dict[int, Any]
    after: dict[int, Any]
    locks: dict[int, str]
    read: set[int]
    said: list[str]


def look(url: str, form: str) -> dict[str, Any]:
    """What a form does in a database of its own."""
    statements = parse.read_text(form, "form.sql").statements or ()
    alone = any(statement.alone for statement in statements)
    with (
        psycopg.connect(url, autocommit=True) as watcher,
        psycopg.connect(url, autocommit=alone) as connection,
    ):
        said: list[str] = []
        connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
        connection.execute("SET client_min_messages = debug1")
        try:
            run = _alone if alone else _inside
            steps = run(connection, watcher, [statement.sql for statement in statements], said)
        except psycopg.Error as error:
            return {"error": f"{error.sqlstate} {error.diag.message_primary}"}
    return _together([_judged(form, step) for step in steps])


def _inside(
    connection: Connection, watcher: Connection, statements: list[str], said: list[str]
) -> list[Step]:
    """Run in a transaction, and look at it behind each statement."""
    steps: list[Step] = []
    start = before = _relations(connection)
    counted: dict[int, int] = {}
    for statement in statements:
        said.clear()
        connection.execute(statement.encode())
        locks = _strongest(watcher.execute(LOCKS, [connection.info.backend_pid]).fetchall())
        now: dict[int, int] = dict(connection.execute(READ).fetchall())
        heard, after = list(said), _relations(connection)
        read = {oid for oid, number in now.items() if number > counted.get(oid, 0)}
        steps.append(
            Step({oid: row for oid, row in before.items() if oid in start}, after, locks, read, heard)
        )
        before, counted = after, now
    connection.commit()
    return steps


def _relations(connection: Connection) -> dict[int, Any]:
    return {oid: row for oid, *row in connection.execute(RELATIONS)}


def _alone(connection: Connection, watcher: Connection, statements: list[str], said: list[str]) -> list[Step]:
    """Run while every table is being written, and look at what it waits for."""
    failed: list[psycopg.Error] = []

    def run() -> None:
        try:
            for statement in statements:
                connection.execute(statement.encode())
        except psycopg.Error as error:
            failed.append(error)

    tables = "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class WHERE relkind IN ('r', 'p') AND oid >= 16384"
    [(names,)] = watcher.execute(tables).fetchall()
    before = _relations(watcher)
    thread = threading.Thread(target=run)
    with watcher.transaction():
        watcher.execute(f"LOCK TABLE {names} IN ROW EXCLUSIVE MODE".encode())
        thread.start()
        waiting: list[tuple[Any, ...]] = []
        while not waiting and thread.is_alive():
            waiting = watcher.execute(WAITS, [connection.info.backend_pid]).fetchall()
        # Who waits for our transaction as a whole blocks no writer.
        locks = _strongest([(relation, mode) for relation, mode in waiting if relation])
    thread.join()
    if failed:
        raise failed[0]
    return [Step(before, _relations(watcher), locks, set(), said)]


def _strongest(rows: list[tuple[Any, ...]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for relation, mode in rows:
        if MODES.index(mode) >= MODES.index(found.get(relation, MODES[0])):
            found[relation] = mode
    return found


def _judged(form: str, step: Step) -> dict[str, Any]:
    before, after, said = step.before, step.after, step.said
    emptied = form.upper().startswith("TRUNCATE")
    moved = {oid for oid, row in before.items() if oid in after and after[oid][2] != row[2]}
    names = {row[0] for oid, row in before.items() if oid in after}
    built = [
        found.group(1) for line in said if (found := re.match(r'building index ".*" on table "(.*?)"', line))
    ]
    strong = {
        oid
        for oid, mode in step.locks.items()
        # Nobody writes to a materialized view but its refresh.
        if oid in before
        and mode in (BLOCKING if before[oid][1] != "m" else {"AccessExclusiveLock", "ShareLock"})
    }
    rewrite = any(before[oid][1] in {"r", "m"} for oid in moved) and not emptied
    verified = any(
        found.group(1) is None or found.group(1) in names
        for line in said
        if (found := re.match(r'verifying table "(.*)"|validating foreign key', line))
    )
    build = (
        any(name in names for name in built) or any(before[oid][1] == "i" for oid in moved)
    ) and not emptied
    scan = verified or bool(step.read & strong)
    return {
        "rewrite": rewrite,
        "scan": scan and not rewrite,
        "build": build and not rewrite,
        "locks": {
            before[oid][0]: mode
            for oid, mode in sorted(step.locks.items())
            # The names of these have numbers that are others each time.
            if oid in strong and not before[oid][0].startswith("pg_toast")
        },
        "hazard": bool(strong) and (rewrite or scan or build),
    }


def _together(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """What all statements of a form did."""
    kinds = {kind: any(step[kind] for step in steps) for kind in ("rewrite", "scan", "build", "hazard")}
    return {**kinds, "locks": {name: mode for step in steps for name, mode in step["locks"].items()}}


if __name__ == "__main__":
    main()
