"""A copy of some rows: every foreign key holds, the same rows each time, and times that stand for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from pgratchet import Answer, history
from pgratchet.rehearsal import Copy, Origin, Wishes, copied, look
from tests.rehearsal.conftest import BASE, Rehearse, copies, picture
from tests.servers import Database

SHOP = r'''
    CREATE SCHEMA "odd schema";
    CREATE TABLE regions (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE users (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        region int REFERENCES regions,
        boss bigint REFERENCES users,
        name varchar(40) NOT NULL,
        shout text GENERATED ALWAYS AS (upper(name)) STORED,
        UNIQUE (region, name)
    );
    CREATE TABLE orders (id serial, day date NOT NULL, buyer bigint NOT NULL REFERENCES users, PRIMARY KEY (id, day))
        PARTITION BY RANGE (day);
    CREATE TABLE orders_old PARTITION OF orders FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
    CREATE TABLE orders_new PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
    CREATE TABLE "odd schema"."Line %s" (
        order_id int, day date, "the ""no""" int, region int, buyer_name varchar(40), note text,
        FOREIGN KEY (order_id, day) REFERENCES orders,
        FOREIGN KEY (region, buyer_name) REFERENCES users (region, name)
    );
    CREATE TABLE chickens (id int PRIMARY KEY, egg int NOT NULL);
    CREATE TABLE eggs (id int PRIMARY KEY, chicken int NOT NULL REFERENCES chickens);
    CREATE TABLE nothing ();
    CREATE TABLE log (note text);
    CREATE MATERIALIZED VIEW names AS SELECT name FROM users;
    INSERT INTO regions SELECT n, 'region ' || n FROM generate_series(1, 50) AS n;
    INSERT INTO users (region, name) SELECT n % 50 + 1, 'user ' || n FROM generate_series(1, 1000) AS n;
    UPDATE users SET boss = id - 100 WHERE id > 100;
    INSERT INTO orders (day, buyer) SELECT date '2025-01-01' + n, n % 1000 + 1 FROM generate_series(1, 700) AS n;
    INSERT INTO "odd schema"."Line %s" SELECT o.id, day, 1, region, name, 'it''s \ a note'
        FROM orders AS o JOIN users ON users.id = buyer;
    INSERT INTO "odd schema"."Line %s" VALUES (NULL, '2026-01-01', 1, NULL, 'nobody is there', NULL);
    INSERT INTO chickens SELECT n, n FROM generate_series(1, 300) AS n;
    INSERT INTO eggs SELECT n, n % 300 + 1 FROM generate_series(1, 300) AS n;
    ALTER TABLE chickens ADD FOREIGN KEY (egg) REFERENCES eggs;
    INSERT INTO log SELECT repeat('x', 300) || n FROM generate_series(1, 39) AS n;
    INSERT INTO log VALUES (repeat('long', 2000000));
    ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    CREATE POLICY none ON users USING (false);
    REFRESH MATERIALIZED VIEW names;
'''
TABLES = ("regions", "users", "orders", '"odd schema"."Line %s"', "chickens", "eggs", "log")
BROKEN = "SELECT conname FROM pg_constraint WHERE contype = 'f' AND NOT convalidated"


@contextmanager
def sampled(database: Database, rows: int) -> Iterator[tuple[psycopg.Connection[Any], Copy]]:
    """Make a sample, and connect to it."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        source = look(connection)
    origin = Origin(database.url, source, history.Names("public", "schema_migrations"), None)
    with (
        copied(origin, Wishes(rows=rows)) as (url, copy),
        psycopg.connect(url, autocommit=True) as connection,
    ):
        yield connection, copy


def counts(connection: psycopg.Connection[Any]) -> dict[str, int]:
    return {name: number(connection, f"SELECT count(*) FROM {name}") for name in TABLES}


def number(connection: psycopg.Connection[Any], query: str) -> int:
    [(value,)] = connection.execute(query.encode()).fetchall()
    return int(value)


def test_every_foreign_key_of_a_sample_holds(database: Database) -> None:
    connection = database.connect()
    connection.execute(SHOP.encode())
    keys = number(connection, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'")
    before = picture(database)
    with sampled(database, 40) as (copy, told):
        found = counts(copy)
        assert number(copy, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == keys
        assert not copy.execute(BROKEN).fetchall()
        # Nothing refers to these: so many, and no more.
        assert (found["log"], found['"odd schema"."Line %s"']) == (40, 40)
        assert number(copy, "SELECT max(length(note)) FROM log") == 8_000_000
        assert number(copy, "SELECT count(*) FROM names") == found["users"]
        assert number(copy, "SELECT count(*) FROM users WHERE shout = upper(name)") == found["users"]
        assert number(copy, "SELECT nextval('orders_id_seq')") == 701
        assert number(copy, "SELECT nextval(pg_get_serial_sequence('users', 'id'))") == 1001
    assert told.sample is not None
    parts = {part.table: (part.rows, part.total) for part in told.sample.parts}
    assert parts["public.users"] == (found["users"], 1000)
    assert parts["public.orders"] == (found["orders"], 700)
    assert parts["public.log"] == (40, 40)
    assert found["chickens"] == found["eggs"] == 300  # one cycle through all of them
    assert picture(database) == before
    assert not copies(database)


@pytest.mark.one_version
def test_a_sample_has_the_same_rows_each_time(database: Database) -> None:
    database.connect().execute(SHOP.encode())
    query = "SELECT array_agg(id ORDER BY id) FROM users"
    with sampled(database, 7) as (copy, _):
        first = copy.execute(query).fetchone()
    with sampled(database, 7) as (copy, _):
        assert copy.execute(query).fetchone() == first


@pytest.mark.one_version
def test_what_works_on_a_sample_stands_for_all_rows_and_the_rest_does_not(rehearse: Rehearse) -> None:
    files = {
        "V2__work.sql": "ALTER TABLE users ADD COLUMN note text;\nALTER TABLE users ALTER COLUMN size TYPE bigint;\n"
        "UPDATE orders SET buyer = 1;\n"
    }
    found = rehearse(files, rows=100, prove=False)
    assert found.copy.way == "sample"
    assert [seen.scaled for seen in found.run.statements] == [1.0, 20.0, 1.0]
    assert found.run.statements[1].rewritten == ("public.users",)
    assert found.answer is not Answer.GO
    assert "100 of 2,000 rows of public.users" in " ".join(reason.what for reason in found.reasons)


@pytest.mark.one_version
def test_a_limit_is_judged_by_what_all_rows_would_take(rehearse: Rehearse) -> None:
    base = f"{BASE}CREATE FUNCTION slow(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1 FROM pg_sleep(0.02)';"
    files = {"V2__slow.sql": "UPDATE users SET size = slow(size);\n"}
    found = rehearse(files, base=base, rows=10, prove=False)
    # 10 rows took 0.2 s, and 2,000 would take 40 s: no lock on the table keeps readers out for it.
    assert found.run.milliseconds > 40_000
    assert found.run.statements[0].rows == 2000
