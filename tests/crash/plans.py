"""The plans that are disturbed, and what the database looks like after one that was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from tests.servers import Database


@dataclass(frozen=True, slots=True)
class Disturbed:
    """Files that are applied in peace, and those that come after them while things break."""

    before: Mapping[str, str]
    files: Mapping[str, str]

    @property
    def every(self) -> dict[str, str]:
        return {**self.before, **self.files}


START = {
    "V1__start.sql": """
CREATE TABLE item (id int PRIMARY KEY, x int, note text);
INSERT INTO item SELECT n, n % 7, 'note ' || n FROM generate_series(1, 100) AS n;
CREATE INDEX item_old ON item (x);
CREATE INDEX item_kept ON item (note);
CREATE TABLE event (id int, at int) PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (10);
CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM (10) TO (20);
INSERT INTO event SELECT n, n FROM generate_series(0, 19) AS n;
"""
}

TRANSACTIONS = {
    "V2__column.sql": "ALTER TABLE item ADD y int;\nUPDATE item SET y = x * 2;\n",
    "V3__copied.sql": "BEGIN;\nCREATE TABLE copied (a int);\nCOPY copied FROM stdin;\n1\n2\n\\.\nCOMMIT;\n",
    "R__view.sql": "CREATE OR REPLACE VIEW seen AS SELECT id, note FROM item;\n",
}

NEW = {
    "V1__first.sql": "CREATE TABLE item (id int PRIMARY KEY);\nINSERT INTO item VALUES (1);\n",
    "V2__second.sql": "COPY item FROM stdin;\n2\n3\n\\.\n",
    "R__view.sql": "CREATE OR REPLACE VIEW seen AS SELECT id FROM item;\n",
}

SEGMENTS = {
    "V2__concurrently.sql": """
SET search_path = elsewhere, public;
UPDATE item SET x = x + 1;
CREATE INDEX CONCURRENTLY item_x ON item (x);
DROP INDEX CONCURRENTLY item_old;
REINDEX INDEX CONCURRENTLY item_kept;
ALTER TABLE event DETACH PARTITION event_1 CONCURRENTLY;
CREATE TABLE made_elsewhere AS SELECT current_setting('search_path') AS path;
""",
    "V3__no_transaction.sql": "-- pgratchet: transaction=none\nUPDATE item SET x = x + 1;\nVACUUM item;\n",
    "V4__after.sql": "ALTER TABLE item ADD z int;\n",
}

PLANS = {
    "transactions": Disturbed(START, TRANSACTIONS),
    "new_database": Disturbed({}, NEW),
    "segments": Disturbed(START, SEGMENTS),
}

# What PostgreSQL does when a transaction is cut off is the same in all versions; CONCURRENTLY is not.
TRANSACTIONAL = ("transactions", "new_database")

RELATIONS = """
SELECT c.oid::regclass::text, c.relkind, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready, i.indislive,
       (SELECT array_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull) ORDER BY attnum)
          FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND c.relkind IN ('r', 'p', 'v')),
       (SELECT array_agg(conname || ' ' || pg_get_constraintdef(oid) || ' ' || convalidated ORDER BY conname)
          FROM pg_constraint WHERE conrelid = c.oid),
       (SELECT array_agg(inhparent::regclass || ' ' || inhdetachpending) FROM pg_inherits WHERE inhrelid = c.oid),
       CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END
  FROM pg_class AS c LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
 WHERE c.relnamespace = 'public'::regnamespace
    OR c.relname LIKE '%\\_cc%' AND c.relnamespace = 'pg_toast'::regnamespace
 ORDER BY 1
"""
HISTORY = """
SELECT version, description, script, kind, status, checksum, tree_checksum, statements_done, statements_total, journal
  FROM schema_migrations ORDER BY version
"""
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"


def picture(database: Database) -> list[object]:
    """Everything that a later run, or an application, can see: catalogue, rows, history without its times."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        relations = connection.execute(RELATIONS.encode()).fetchall()
        found: list[object] = [*relations, *connection.execute(HISTORY.encode()).fetchall()]
        for name, kind, *_ in relations:
            if kind in {"r", "p"} and not name.startswith("schema_migrations"):
                query = f"SELECT {name!r}, count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {name} AS t"
                found += connection.execute(query.encode()).fetchall()
        return found
