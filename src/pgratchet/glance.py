"""One look at the database: is there anything to do? What a container's every start pays, and no more.

psycopg's import alone costs many times this whole look, so it talks to libpq, the one that psycopg's
wheel carries, through ctypes. It answers only what it is sure of; every doubt is left to `ops.up`.
"""

from __future__ import annotations

import os
import sys
from ctypes import CDLL, c_char_p, c_int, c_void_p

from pgratchet import naming, sql
from pgratchet.config import Settings

OK = 0
TUPLES = 2
ORDER = {"B": 0, "V": 1, "R": 2}


def nothing_to_do(settings: Settings) -> tuple[int, int] | None:
    """How many migrations are applied and the newest version, where the history holds exactly the files.

    None in every other case, a failure included: the long way then finds out and explains.
    """
    if settings.url is None:
        return None
    try:
        files = _files(settings.directory)
        row = _ask(settings)
        if row is None or files is None:
            return None
        baseline, finished, applied, newest, digest = row
        lines = [line for prefix, version, line in files if _counts(prefix, version, int(baseline))]
        same = finished == "t" and naming.digest(lines) == digest and newest
        return (int(applied), int(newest)) if same else None
    except (OSError, AttributeError, ValueError):
        return None


def _files(folder: str) -> list[tuple[str, int, str]] | None:
    """Prefix, version and digest line of each file, in the order in which the server digests its rows."""
    found: list[tuple[tuple[int, int, int, str], str, int, str]] = []
    for entry in os.listdir(folder):
        if naming.ignored(entry):
            continue
        name = naming.read(entry)
        checksum = naming.checksum(f"{folder}/{entry}") if name else None
        if name is None or checksum is None:
            return None
        version = -1 if name.version is None else name.version
        key = name.description if name.version is None else name.version
        order = (int(name.version is None), version, ORDER[name.prefix], name.description)
        found.append((order, name.prefix, version, f"{key}:{checksum}"))
    found.sort()
    if len({order[:3] for order, prefix, *_ in found if prefix != "R"}) < sum(p != "R" for _, p, *_ in found):
        return None
    return [(prefix, version, line) for _, prefix, version, line in found]


def _counts(prefix: str, version: int, baseline: int) -> bool:
    return version == baseline if prefix == "B" else prefix == "R" or version > baseline


def _ask(settings: Settings) -> tuple[str, ...] | None:
    """The history's summary. Quiet: whatever goes wrong, the long way meets it again."""
    path = _libpq()
    if path is None:
        return None
    libpq = CDLL(path)
    for name in ("PQconnectdbParams", "PQexec"):
        getattr(libpq, name).restype = c_void_p
    libpq.PQgetvalue.restype = c_char_p
    keys = (c_char_p * 5)(b"dbname", b"application_name", b"connect_timeout", b"client_encoding", None)
    values = (c_char_p * 5)((settings.url or "").encode(), b"pgratchet glance", b"5", b"UTF8", None)
    connection = c_void_p(libpq.PQconnectdbParams(keys, values, 1))
    try:
        if libpq.PQstatus(connection) != OK:
            return None
        return _row(libpq, connection, _query(settings))
    finally:
        libpq.PQfinish(connection)


def _query(settings: Settings) -> bytes:
    names = {"history": settings.table, "repeatable": f"{settings.table}_repeatable"}
    qualified = {key: f"{settings.schema}\0{table}" for key, table in names.items()}
    return sql.load("history_summary", **qualified).encode()


def _row(libpq: CDLL, connection: c_void_p, query: bytes) -> tuple[str, ...] | None:
    result = c_void_p(libpq.PQexec(connection, query))
    try:
        if libpq.PQresultStatus(result) != TUPLES:
            return None
        return tuple(libpq.PQgetvalue(result, c_int(0), c_int(n)).decode() for n in range(5))
    finally:
        libpq.PQclear(result)


def _libpq() -> str | None:
    for folder in sys.path:
        libraries = f"{folder}/psycopg_binary.libs"
        if os.path.isdir(libraries):
            return next((f"{libraries}/{n}" for n in os.listdir(libraries) if n.startswith("libpq-")), None)
    return None
