"""What a revert decides without a database: names, headers, waivers, verdicts, made-up rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pgratchet import mending, parse, schema
from pgratchet.model import Kind, Migration
from pgratchet.rehearsal import Lock, Seen
from pgratchet.reverting import (
    Data,
    Ends,
    Reverted,
    Risk,
    Rows,
    SchemaProof,
    filling,
    judge,
    judging,
    reading,
    rows,
    writing,
)
from pgratchet.reverting.renaming import alike, renames
from pgratchet.schema import Item, Snapshot

PLANS = "table public.plans"


def item(kind: str, name: str, parent: str | None = None, **properties: str) -> Item:
    return Item(
        kind, name, "public", parent, {key.replace("_", " "): text for key, text in properties.items()}
    )


def snapshot(*items: Item) -> Snapshot:
    return Snapshot(tuple(sorted(items, key=lambda one: one.title)))


def plans(*columns: str, order: str = "code, price", **more: str) -> Snapshot:
    return snapshot(
        item("table", "public.plans", column_order=order, **more),
        *(
            item("column", f"public.plans.{name}", PLANS, type="text")
            for name in columns or ("code", "price")
        ),
        item("constraint", "public.plans.plans_pkey", PLANS, definition="PRIMARY KEY (code)"),
    )


def migration(version: int = 7, description: str = "add_note") -> Migration:
    return Migration(Kind.VERSIONED, version, description, Path(f"V00{version}__{description}.sql"), "")


def found(text: str) -> tuple[reading.Found, ...]:
    return tuple((migration(), statement) for statement in parse.read_text(text, "x").statements or ())


def reverted(**more: object) -> Reverted:
    given: dict[str, object] = {
        "path": Path("V008__revert_add_note.sql"),
        "takes_back": ("V007__add_note.sql",),
        "schema": SchemaProof.PROVEN,
        "differences": "",
        "reordered": (),
        "data": Data.KEPT,
        "lost": (),
        "goes": (),
        "notes": (),
        "backup": None,
        "risks": (),
        "statements": 1,
        "online": False,
        "server": 18,
    }
    return Reverted(**{**given, **more})  # type: ignore[arg-type]


def verdict(
    wanted: Snapshot,
    now: Snapshot,
    digests: tuple[str, str] = ("1", "1"),
    *,
    text: str = "",
    tried: bool = True,
) -> tuple[SchemaProof, Data, tuple[str, ...], tuple[str, ...]]:
    ends = (
        Ends(schema, {"public.plans": Rows(2, digest, {"code": "0", "price": digest})}, {})
        for schema, digest in zip((wanted, now), digests, strict=True)
    )
    one, other = ends
    judged = judge(one, other, one, (), reading.writes(found(text), wanted), tried=tried)
    return judged.schema, judged.data, judged.lost, judged.notes


def test_a_range_is_named_by_its_ends() -> None:
    assert writing.description([migration()]) == "revert_add_note"
    assert writing.description([migration(), migration(9, "more")]) == "revert_7_through_9"


def test_the_header_says_what_is_proven_lost_and_locked_in_short_lines() -> None:
    made = reverted(
        data=Data.LOST,
        lost=("the values of column public.users.phone do not come back",),
        goes=("table public.notes",),
        backup="app-1",
        risks=(
            Risk(
                "public.users",
                "AccessExclusiveLock",
                rewritten=True,
                scanned=False,
                sql=f"ALTER TABLE {'x' * 200}",
            ),
        ),
    )
    lines = list(writing.header(made))
    assert lines[1] == "-- Proof:   schema: proven; data: lost"
    assert "-- Lost:    the values of column public.users.phone do not come back" in lines
    assert "-- Goes:    table public.notes, with what was written to it since" in lines
    assert "-- Backup:  app-1, verified, is from before V007__add_note.sql" in lines
    assert any(
        line.startswith("-- Risk:    AccessExclusiveLock on public.users, rewrites it") for line in lines
    )
    assert not parse.read_text("\n".join([*lines, "SELECT 1;"]), "x").directives


@given(st.text(max_size=300))
@example("x\n\0 -- pgratchet: transaction=none")
def test_no_difference_ends_the_comment_that_it_stands_in(differences: str) -> None:
    made = reverted(schema=SchemaProof.NOT, differences=differences, notes=(differences,))
    script = parse.read_text(writing.text(made, ["SELECT 1"]), "x")
    assert [statement.sql for statement in script.statements or ()] == ["SELECT 1"]
    assert not script.directives


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        ("ALTER TABLE public.t OWNER TO postgres", "ALTER TABLE public.t OWNER TO CURRENT_USER"),
        ("GRANT SELECT ON public.t TO postgres", "GRANT SELECT ON public.t TO CURRENT_USER"),
        ("REVOKE SELECT ON public.t FROM postgres, x", "REVOKE SELECT ON public.t FROM CURRENT_USER, x"),
        ("ALTER TABLE public.t OWNER TO postgres2", "ALTER TABLE public.t OWNER TO postgres2"),
        ("COMMENT ON TABLE t IS 'GRANT x TO postgres'", "COMMENT ON TABLE t IS 'GRANT x TO postgres'"),
    ],
)
def test_who_ran_the_files_on_the_scratch_database_is_whoever_runs_the_new_one(
    statement: str, wanted: str
) -> None:
    assert writing.here(statement, "postgres") == wanted


def test_a_rule_is_taken_back_above_its_statement_and_loss_is_to_be_confirmed() -> None:
    before = migration(1, "first")
    script = parse.read_text("-- what there is\nCREATE TABLE users (id bigint PRIMARY KEY, note text);", "x")
    made = reverted()
    written = writing.text(made, ["ALTER TABLE users DROP COLUMN note", "SELECT 1"])
    lines = writing.waived(written, migration(8), "V007__add_note.sql", [(before, script)]).splitlines()
    at = lines.index("ALTER TABLE users DROP COLUMN note;")
    assert lines[at - 1].startswith("-- pgratchet: ignore drop-column TO BE CONFIRMED: V007__add_note.sql")


def test_another_order_of_columns_is_proven_but_for_that_and_any_other_difference_is_not() -> None:
    assert verdict(plans(), plans()) == (SchemaProof.PROVEN, Data.KEPT, (), ())
    assert verdict(plans(), plans(order="price, code"))[0] is SchemaProof.ORDER
    assert verdict(plans(), plans(owner="me"))[0] is SchemaProof.NOT
    assert verdict(plans(), plans("code", order="code"))[0] is SchemaProof.NOT
    assert verdict(plans(), plans(), tried=False)[1] is Data.UNTRIED


def test_rows_that_are_others_are_lost_and_named_by_their_column() -> None:
    _, data, lost, _ = verdict(plans(), plans(), ("1", "2"))
    assert (data, lost) == (Data.LOST, ("the values of public.plans.price are not those of before",))
    _, data, lost, _ = verdict(plans(), plans(), text="DELETE FROM plans WHERE code = 'x';")
    assert (data, lost) == (
        Data.LOST,
        ("what V007__add_note.sql:1 (DELETE) changed in plans does not change back",),
    )


@pytest.mark.parametrize(
    ("statement", "undo"),
    [
        (
            "INSERT INTO plans (price, code) VALUES ('1', 'a''b'), ('2', 'c')",
            "DELETE FROM public.plans WHERE (\"code\") IN (('a''b'), ('c'))",
        ),
        ("INSERT INTO plans VALUES ('a', '1')", "DELETE FROM public.plans WHERE (\"code\") IN (('a'))"),
        ("INSERT INTO plans (price) VALUES ('1')", None),
        ("INSERT INTO plans VALUES (lower('A'), '1')", None),
        ("INSERT INTO plans SELECT 'a', '1'", None),
        ("INSERT INTO plans VALUES ('a', '1') ON CONFLICT DO NOTHING", None),
        ("DO $$ BEGIN INSERT INTO plans VALUES ('a', '1'); END $$", None),
        ("INSERT INTO elsewhere VALUES ('a', '1')", None),
    ],
)
def test_rows_are_deleted_again_only_where_their_key_is_known(statement: str, undo: str | None) -> None:
    [write] = reading.writes(found(f"{statement};"), plans())
    assert (write.verb, write.undo) == ("INSERT", undo)


def test_a_definition_writes_no_rows() -> None:
    text = """CREATE RULE r AS ON DELETE TO plans DO INSTEAD UPDATE plans SET price = 1;
    CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM plans; END;"""
    assert not reading.writes(found(text), plans())


@pytest.mark.parametrize(
    ("statement", "before", "after", "pairs"),
    [
        (
            "ALTER TABLE plans RENAME TO offers",
            [item("table", "public.plans")],
            [item("table", "public.offers")],
            {"table public.offers": "table public.plans"},
        ),
        (
            "ALTER TABLE plans RENAME COLUMN a TO b; ALTER TABLE plans RENAME COLUMN b TO c",
            [item("column", "public.plans.a", PLANS), item("column", "public.z.a", "table public.z")],
            [item("column", "public.plans.c", PLANS)],
            {"column public.plans.c": "column public.plans.a"},
        ),
        (
            'ALTER FUNCTION f(integer) RENAME TO "G"',
            [item("function", "public.f(integer)"), item("function", "public.f(text)")],
            [item("function", 'public."G"(integer)')],
            {'function public."G"(integer)': "function public.f(integer)"},
        ),
        (
            "ALTER TABLE plans SET SCHEMA more",
            [item("table", "public.plans")],
            [item("table", "more.plans")],
            {"table more.plans": "table public.plans"},
        ),
        ("ALTER TABLE plans DROP COLUMN a", [item("column", "public.plans.a", PLANS)], [], {}),
    ],
)
def test_what_was_renamed_is_known_by_both_names(
    statement: str, before: list[Item], after: list[Item], pairs: Mapping[str, str]
) -> None:
    assert renames(found(statement), snapshot(*before), snapshot(*after)) == pairs


def test_a_constraint_that_says_the_same_only_has_another_name() -> None:
    now, wanted = (
        snapshot(
            item("constraint", f"public.plans.{name}", PLANS, definition="NOT NULL price"),
            item("constraint", f"public.plans.{key}", PLANS, definition="UNIQUE (price)"),
        )
        for name, key in (("price1", "a"), ("price", "b"))
    )
    assert alike(now, wanted) == {"constraint public.plans.price1": "constraint public.plans.price"}
    assert not alike(now, now)


def test_a_value_of_a_time_or_of_chance_counts_as_the_same() -> None:
    one, other, third = (Rows(1, digest, {"a": digest}) for digest in "123")
    assert list(rows.changed({"t": one}, {"t": other}, {"t": one})) == [("t", 0, ("t.a",))]
    assert not list(rows.changed({"t": one}, {"t": other}, {"t": third}))


def test_a_made_up_row_obeys_a_check_that_names_its_values() -> None:
    check = "CHECK ((price = ANY (ARRAY['free'::text, 'gold'::text])))"
    made = snapshot(*plans().items, item("constraint", "public.plans.c", PLANS, definition=check))
    statements = list(filling.statements(made, ()))
    assert len(statements) == filling.NUMBER * filling.PASSES
    assert all("'free'" in text or "'gold'" in text for text in statements)
    assert parse.tree(statements[0]) is not None
    # Less than a whole row only where nothing else will do: what it refers to may come.
    assert "DEFAULT VALUES" not in statements[0]
    assert "DEFAULT VALUES" in statements[-1]
    assert not list(filling.statements(made, ("public.plans",)))


def test_a_risk_is_told_once_a_table_with_its_worst_statement() -> None:
    lock = Lock("public.t", "table", "AccessExclusiveLock", 0, 9)
    first = Seen("x", "x", 1, 1, "ALTER TABLE t ADD a int", "ALTER TABLE", 0, 1, locks=(lock,))
    second = Seen(
        "x", "x", 2, 2, "ALTER TABLE t ALTER b TYPE int", "ALTER TABLE", 1, 1, rewritten=("public.t",)
    )
    told = list(writing.risks([first, second]))
    assert told == [Risk("public.t", "AccessExclusiveLock", rewritten=True, scanned=False, sql=second.sql)]


def test_a_lock_is_told_with_the_statement_that_takes_it() -> None:
    weak, strong = (
        Lock("public.t", "table", mode, 0, 9) for mode in ("RowExclusiveLock", "AccessExclusiveLock")
    )
    first = Seen("x", "x", 1, 1, "DELETE FROM t", "DELETE", 0, 1, locks=(weak,))
    second = Seen("x", "x", 2, 2, "DROP TABLE t", "DROP TABLE", 0, 1, locks=(strong,))
    assert [risk.sql for risk in writing.risks([first, second])] == ["DROP TABLE t"]


def test_only_a_changed_table_without_rows_is_untried() -> None:
    parts = item("table", "public.parts", partition_key="RANGE (at)")
    both = snapshot(*plans().items, parts, item("table", "public.others"))
    empty = {name: Rows(0, "0", {}) for name in ("public.plans", "public.parts", "public.others")}
    changes = schema.difference(snapshot(), both)
    assert judging.untried(Ends(both, empty, {}), changes) == ("public.plans", "public.others")
    assert judging.untried(Ends(both, empty, {}), changes[:0]) == ()


def test_what_a_child_inherits_is_renamed_with_its_parent() -> None:
    have, want = (
        snapshot(
            item("table", "public.a"),
            item("table", "public.b", inherits="public.a"),
            item("constraint", f"public.a.{name}", "table public.a", definition="CHECK (true)"),
            item(
                "constraint", f"public.b.{name}", "table public.b", definition="CHECK (true)", inherited="yes"
            ),
        )
        for name in ("new", "old")
    )
    pairs = {f"constraint public.{table}.new": f"constraint public.{table}.old" for table in "ab"}
    assert mending.mend(have, want, renames=pairs).statements == (
        "ALTER TABLE public.a RENAME CONSTRAINT new TO old",
    )
