"""What each kind of statement does on a copy: locks, rewrites, builds and scans, as PostgreSQL does them."""

from __future__ import annotations

import pytest

from pgratchet import Rehearsal, Seen
from tests.rehearsal.conftest import Rehearse

ACCESS, SHARE_ROW, SHARE, UPDATE, ROW = (
    "AccessExclusiveLock",
    "ShareRowExclusiveLock",
    "ShareLock",
    "ShareUpdateExclusiveLock",
    "RowExclusiveLock",
)
TABLES = """
    CREATE TABLE main (id int PRIMARY KEY, name text, size int, small varchar(10), at timestamptz DEFAULT now());
    CREATE TABLE other (id int PRIMARY KEY, main int);
    CREATE TABLE parts (id int, at date NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE part PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE fresh (id int, at date NOT NULL);
    CREATE TABLE gone (id int PRIMARY KEY);
    CREATE INDEX main_size ON main (size);
    CREATE INDEX main_small ON main (small);
    CREATE MATERIALIZED VIEW seen AS SELECT id FROM main;
    CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    INSERT INTO main SELECT n, 'n' || n, n, 's' FROM generate_series(1, 1000) AS n;
    INSERT INTO other SELECT n, n FROM generate_series(1, 100) AS n;
"""

# A statement; the strongest mode that it takes on each table that was there; what it rewrites, builds, looks through.
MATRIX: tuple[tuple[str, dict[str, str], set[str]], ...] = (
    ("ALTER TABLE main ADD COLUMN a int", {"main": ACCESS}, set()),
    ("ALTER TABLE main ADD COLUMN b int NOT NULL DEFAULT 1", {"main": ACCESS}, set()),
    ("ALTER TABLE main ADD COLUMN c float DEFAULT random()", {"main": ACCESS}, {"rewrites main"}),
    (
        "ALTER TABLE main ALTER COLUMN size TYPE bigint",
        {"main": ACCESS},
        {"rewrites main", "builds main_size"},
    ),
    ("ALTER TABLE main ALTER COLUMN small TYPE varchar(20)", {"main": ACCESS}, set()),
    ("ALTER TABLE main ALTER COLUMN name SET NOT NULL", {"main": ACCESS}, {"verifying main"}),
    ("ALTER TABLE main ADD CONSTRAINT positive CHECK (size > 0) NOT VALID", {"main": ACCESS}, set()),
    ("ALTER TABLE main VALIDATE CONSTRAINT positive", {"main": UPDATE}, {"verifying main"}),
    ("ALTER TABLE main DROP COLUMN b", {"main": ACCESS}, set()),
    ("ALTER TABLE main ALTER COLUMN name SET STATISTICS 50", {"main": UPDATE}, set()),
    (
        "ALTER TABLE other ADD CONSTRAINT key FOREIGN KEY (main) REFERENCES main NOT VALID",
        {"main": SHARE_ROW, "other": SHARE_ROW},
        set(),
    ),
    ("ALTER TABLE other VALIDATE CONSTRAINT key", {"main": "RowShareLock", "other": UPDATE}, {"validating"}),
    ("CREATE INDEX plain ON main (name)", {"main": SHARE}, {"builds plain"}),
    ("DROP INDEX plain", {"main": ACCESS}, set()),
    (
        "CREATE TRIGGER firing BEFORE INSERT ON main FOR EACH ROW EXECUTE FUNCTION fire()",
        {"main": SHARE_ROW},
        set(),
    ),
    ("UPDATE main SET name = 'm' WHERE id <= 10", {"main": ROW}, set()),
    ("INSERT INTO other VALUES (1000, 1)", {"other": ROW, "main": "RowShareLock"}, set()),
    ("DELETE FROM other WHERE id = 1000", {"other": ROW}, set()),
    ("TRUNCATE other", {"other": ACCESS}, set()),
    (
        "REINDEX TABLE main",
        {"main": SHARE},
        {"builds main_pkey", "builds main_size", "builds main_small"},
    ),
    (
        "ALTER TABLE parts ATTACH PARTITION fresh FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        {"parts": UPDATE, "fresh": ACCESS},
        {"verifying fresh"},
    ),
    ("REFRESH MATERIALIZED VIEW seen", {"seen": ACCESS}, {"rewrites seen"}),
    ("COMMENT ON TABLE main IS 'main'", {"main": UPDATE}, set()),
    ("ANALYZE main", {"main": UPDATE}, set()),
    ("DO $$ BEGIN EXECUTE 'ALTER TABLE main ADD COLUMN hidden int'; END $$", {"main": ACCESS}, set()),
    ("DROP TABLE gone", {"gone": ACCESS}, set()),
    ("CREATE TABLE new (id int PRIMARY KEY, main int REFERENCES main)", {"main": SHARE_ROW}, set()),
    ("CREATE INDEX on_new ON new (main)", {}, set()),
)
RANK = (
    "AccessShareLock",
    "RowShareLock",
    ROW,
    UPDATE,
    SHARE,
    SHARE_ROW,
    "ExclusiveLock",
    ACCESS,
)


def strongest(seen: Seen) -> dict[str, str]:
    """Give the strongest mode on each table, of those that count: reading alone does not."""
    found: dict[str, str] = {}
    for lock in seen.locks:
        name = lock.relation.removeprefix("public.")
        if lock.kind in {"table", "materialized view"} and lock.mode != "AccessShareLock":
            found[name] = max(lock.mode, found.get(name, RANK[0]), key=RANK.index)
    return found


def deeds(seen: Seen) -> set[str]:
    words = {f"rewrites {name.removeprefix('public.')}" for name in seen.rewritten}
    words |= {f"builds {name.removeprefix('public.')}" for name in seen.built}
    words |= {f"verifying {text.split(chr(34))[1]}" for text in seen.reasons if text.startswith("verifying")}
    return words | {"validating" for text in seen.reasons if text.startswith("validating foreign key")}


def of_each(rehearsal: Rehearsal) -> dict[str, Seen]:
    return {seen.sql: seen for seen in rehearsal.run.statements}


def test_locks_rewrites_builds_and_scans_are_those_of_postgresql(rehearse: Rehearse) -> None:
    files = {f"V{n}__change.sql": f"{sql};\n" for n, (sql, _, _) in enumerate(MATRIX, 2)}
    found = of_each(rehearse(files, base=TABLES, prove=False))
    told = {sql: (strongest(found[sql]), deeds(found[sql])) for sql, _, _ in MATRIX}
    assert told == {sql: (locks, done) for sql, locks, done in MATRIX}


def test_locks_that_are_given_back_within_a_statement_are_seen_in_passing(rehearse: Rehearse) -> None:
    rows = "INSERT INTO users SELECT n, md5(n::text), n FROM generate_series(3000, 150000) AS n"
    index, vacuum = "CREATE INDEX CONCURRENTLY quiet ON users (name)", "VACUUM (FULL) users"
    found = of_each(rehearse({"V2__quiet.sql": f"{rows};\n{index};\n{vacuum};\n"}, prove=False))
    for sql, mode in ((index, UPDATE), (vacuum, ACCESS)):
        assert strongest(found[sql]) == {"users": mode}
        assert all(lock.sampled for lock in found[sql].locks)
    assert deeds(found[index]) == {"builds quiet"}
    assert "rewrites users" in deeds(found[vacuum])


@pytest.mark.one_version
def test_a_lock_is_held_to_the_end_of_its_transaction(rehearse: Rehearse) -> None:
    short, long = "ALTER TABLE orders ADD COLUMN note text", "SELECT pg_sleep(0.4)"
    found = of_each(rehearse({"V2__slow.sql": f"{short};\n{long};\n"}, prove=False))
    [lock] = [lock for lock in found[short].locks if lock.kind == "table"]
    assert lock.mode == ACCESS
    assert lock.end >= found[long].start + found[long].milliseconds
    assert lock.start <= found[short].start + found[short].milliseconds
    assert not found[long].locks


@pytest.mark.one_version
def test_locks_that_are_taken_at_the_beginning_are_told_of_the_statement_that_wants_them(
    rehearse: Rehearse,
) -> None:
    first, second = "ALTER TABLE users ADD COLUMN note text", "ALTER TABLE orders ADD COLUMN note text"
    found = of_each(rehearse({"V2__two.sql": f"{first};\n{second};\n"}, prove=False))
    assert strongest(found[first]) == {"users": ACCESS}
    assert strongest(found[second]) == {"orders": ACCESS}


@pytest.mark.one_version
def test_what_a_statement_moves_is_counted(rehearse: Rehearse) -> None:
    update, rewrite = "UPDATE users SET size = size + 1", "ALTER TABLE users ALTER COLUMN size TYPE bigint"
    sort = "CREATE INDEX sorted ON orders (buyer)"
    found = of_each(rehearse({"V2__move.sql": f"{update};\n{rewrite};\n{sort};\n"}, prove=False))
    assert (found[update].rows, found[update].read) == (2000, 2000)
    assert found[update].wal > 2000 * 20
    assert found[rewrite].disk > 0
    assert found[sort].temporary is not None
    assert found[sort].tag == "CREATE INDEX"
