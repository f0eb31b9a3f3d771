"""Changes and writes that Citus refuses of distributed tables, or takes and does not do on every node."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.lint.act import Act, Hit
from pgratchet.lint.rules.distributed import KEY, NAMED, TARGET, applies, key_of, keyed, rule
from pgratchet.lint.tree import (
    SERIAL,
    columns,
    constraint,
    constraints,
    functions,
    name_of,
    type_of,
    walk,
)
from pgratchet.lint.volatility import VOLATILE


def _column_constraint(act: Act) -> Iterator[Hit]:
    kinds = {item["contype"] for item in constraints(act.definition)} & NAMED
    if kinds and act.alters_table and applies(act, act.relation):
        yield Hit("Citus refuses ADD COLUMN with PRIMARY KEY, UNIQUE, REFERENCES or CHECK (0A000)")


def _sequence(act: Act) -> Iterator[Hit]:
    column = act.definition
    default = constraint(column, "CONSTR_DEFAULT")
    numbered = type_of(column.get("typeName")).name in SERIAL or constraint(column, "CONSTR_IDENTITY")
    nextval = default and "nextval" in {name for _, name in functions(default)}
    if (numbered or nextval) and act.alters_table and applies(act, act.relation):
        yield Hit("Citus refuses ADD COLUMN with a sequence: serial, identity, or DEFAULT nextval() (0A000)")


def _not_alone(act: Act) -> Iterator[Hit]:
    if len(act.whole["cmds"]) > 1 and act.alters_table and applies(act, act.relation):
        yield Hit("Citus refuses ADD CONSTRAINT together with other actions (0A000)")


def _unsupported(act: Act) -> Iterator[Hit]:
    if act.alters_table and applies(act, act.relation):
        word = {
            "AT_SetStatistics": "SET STATISTICS",
            "AT_SetStorage": "SET STORAGE",
            "AT_ClusterOn": "CLUSTER ON",
        }
        yield Hit(f"Citus refuses {word[act.name]} on a distributed table (0A000)")


def _distribution_column(act: Act) -> Iterator[Hit]:
    if act.name == "UpdateStmt":
        names = {item["ResTarget"].get("name") for item in act.node.get("targetList", ())}
        if keyed(act, act.relation) and key_of(act, act.relation) in names:
            yield Hit("Citus refuses to change the distribution column of a row (0A000)")
    elif act.node["name"] == key_of(act, act.relation) and keyed(act, act.relation):
        yield Hit("Citus refuses to change or drop the distribution column (XX000)")


def _trigger(act: Act) -> Iterator[Hit]:
    if applies(act, act.relation):
        yield Hit(
            f"Citus refuses triggers on distributed tables, and does not distribute {act.label} with one (XX000)"
        )


def _volatile(act: Act) -> Iterator[Hit]:
    called = sorted({name for _, name in functions(act.node)} & VOLATILE)
    if called and applies(act, act.relation) and not act.fresh:
        yield Hit(f"Citus refuses an UPDATE with {called[0]}(), which is volatile")


def _locking(act: Act) -> Iterator[Hit]:
    tables = [name_of(item) for item in walk(act.node, "RangeVar")]
    hazard = any(applies(act, table) for table in tables) and list(walk(act.node, "LockingClause"))
    keyed = KEY in columns(act.node.get("whereClause", {}))
    if hazard and not keyed:
        yield Hit("Citus refuses SELECT … FOR UPDATE over more than one tenant")


def _unnamed(act: Act) -> Iterator[Hit]:
    if (
        applies(act, act.relation)
        and act.definition.get("contype") in NAMED
        and "conname" not in act.definition
    ):
        yield Hit("each shard makes up a name of its own for it")


def _coordinator(act: Act) -> Iterator[Hit]:
    if act.known.target == TARGET:
        what = {"RuleStmt": "a rule", "AlterDefaultPrivilegesStmt": "a default privilege"}[act.name]
        yield Hit(f"Citus takes {what} and makes it on the coordinator alone, without a word")


def _concurrently(act: Act) -> Iterator[Hit]:
    if (
        "create_distributed_table_concurrently" in {name for _, name in functions(act.node)}
        and not act.statement.alone
    ):
        yield Hit("create_distributed_table_concurrently cannot be in a transaction (25001)")


def _session(act: Act) -> Iterator[Hit]:
    if act.known.target != TARGET or _propagated(act):
        return
    if act.name == "SelectStmt":
        if "set_config" in {name for _, name in functions(act.node)}:
            yield Hit("set_config() holds on the coordinator alone: the workers never hear of it")
    elif act.node["kind"] == "VAR_SET_VALUE" and not act.node["name"].startswith("citus."):
        yield Hit(
            f"{act.node['name']} is set on the coordinator alone: the workers, where the shards are, go on as before"
        )


def _propagated(act: Act) -> bool:
    """Whether a statement before has SET hold on the workers too; set_config() never does."""
    before = (act.script.statements or ())[: act.statement.number]
    return act.name != "SelectStmt" and any(
        "citus.propagate_set_commands" in item.sql.lower() for item in before
    )


RULES = (
    rule(
        "citus-add-column-constraint",
        "A column is added with a constraint",
        "Citus takes the column and the constraint in two statements.",
        "ALTER TABLE … ADD COLUMN …; then ALTER TABLE … ADD CONSTRAINT name … NOT VALID.",
        bad="-- pgratchet: ignore add-column-check the table is small\n"
        "ALTER TABLE users ADD COLUMN height integer CHECK (height > 0);",
        good="ALTER TABLE users ADD COLUMN height integer;\n"
        "ALTER TABLE users ADD CONSTRAINT users_height_check CHECK (height > 0) NOT VALID;",
        on=("AT_AddColumn",),
        find=_column_constraint,
    ),
    rule(
        "citus-add-column-sequence",
        "A column with a sequence is added",
        "Old rows lie on many nodes, and would all want numbers.",
        "A uuid; or the column first, and SET DEFAULT nextval('…') for new rows.",
        bad="-- pgratchet: ignore add-column-serial the table is small\nALTER TABLE users ADD COLUMN number bigserial;",
        good="ALTER TABLE users ADD COLUMN number uuid;",
        on=("AT_AddColumn",),
        find=_sequence,
    ),
    rule(
        "citus-constraint-alone",
        "A constraint is added together with something else",
        "Citus takes ADD CONSTRAINT as the only action of its statement.",
        "One statement for each.",
        bad="ALTER TABLE users ADD COLUMN height integer, ADD CONSTRAINT users_age_check CHECK (age > 0) NOT VALID;",
        good="ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age > 0) NOT VALID;",
        on=("AT_AddConstraint",),
        find=_not_alone,
    ),
    rule(
        "citus-unsupported-action",
        "An action that Citus does not have",
        "It has no way to do it on the shards.",
        "Do it before the table is distributed.",
        bad="ALTER TABLE users ALTER COLUMN email SET STATISTICS 500;",
        good="ALTER TABLE users SET (fillfactor = 90);",
        on=("AT_SetStatistics", "AT_SetStorage", "AT_ClusterOn"),
        find=_unsupported,
    ),
    rule(
        "citus-distribution-column",
        "The distribution column is changed",
        "It says on which node a row lies.",
        "Delete the row and insert it anew; of a table, make another.",
        bad="UPDATE users SET tenant_id = '00000000-0000-0000-0000-000000000001' WHERE email = 'a@example.org';",
        good="UPDATE users SET age = 1 WHERE email = 'a@example.org';",
        on=("AT_AlterColumnType", "AT_DropColumn", "UpdateStmt"),
        find=_distribution_column,
    ),
    rule(
        "citus-trigger",
        "A trigger",
        "A trigger would run on each shard, and knows nothing of the others.",
        "Set the value in the statement that writes; a generated column computes one.",
        bad="CREATE TRIGGER keep BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();",
        good="ALTER TABLE users ADD COLUMN updated_at timestamptz;",
        on=("CreateTrigStmt",),
        find=_trigger,
    ),
    rule(
        "citus-volatile-update",
        "An UPDATE with a volatile function",
        "Each node would answer for itself.",
        "Compute the values first and write them, or use now().",
        bad="UPDATE users SET user_id = gen_random_uuid() WHERE age = 1;",
        good="UPDATE users SET age = 2 WHERE age = 1;",
        on=("UpdateStmt", "DeleteStmt"),
        find=_volatile,
    ),
    rule(
        "citus-row-locks",
        "Rows of many tenants are locked",
        "SELECT … FOR UPDATE works within one tenant alone.",
        "Batches by key: WHERE (tenant_id, id) IN (SELECT … LIMIT n).",
        bad="UPDATE users SET age = 2 WHERE user_id IN (SELECT user_id FROM users LIMIT 100 FOR UPDATE SKIP LOCKED);",
        good="UPDATE users SET age = 2 WHERE (tenant_id, user_id) IN (SELECT tenant_id, user_id FROM users LIMIT 100);",
        on=("UpdateStmt", "DeleteStmt", "SelectStmt"),
        find=_locking,
    ),
    rule(
        "citus-unnamed-constraint",
        "A constraint without a name",
        "A name that is made up on each shard cannot be dropped by it later.",
        "ADD CONSTRAINT name ….",
        bad="ALTER TABLE users ADD CHECK (age > 0) NOT VALID;",
        good="ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age > 0) NOT VALID;",
        on=("AT_AddConstraint",),
        find=_unnamed,
    ),
    rule(
        "citus-coordinator-only",
        "Something that stays on the coordinator",
        "No error says so, and queries over a worker do without it.",
        "run_command_on_workers, or do without.",
        bad="CREATE RULE keep AS ON DELETE TO users DO INSTEAD NOTHING;",
        good="GRANT SELECT ON users TO pg_monitor;",
        on=("RuleStmt", "AlterDefaultPrivilegesStmt"),
        find=_coordinator,
    ),
    rule(
        "citus-session-setting",
        "A setting that the workers do not hear of",
        "lock_timeout and hnsw.ef_search work where the shards are; set so, they do nothing there, and no error says so.",
        "SET LOCAL citus.propagate_set_commands = 'local' before it, and SET LOCAL; or ALTER DATABASE … SET, which reaches all nodes.",
        bad="SET LOCAL lock_timeout = '1s';",
        good="SET LOCAL citus.propagate_set_commands = 'local';\nSET LOCAL lock_timeout = '1s';",
        on=("VariableSetStmt", "SelectStmt"),
        find=_session,
    ),
    rule(
        "citus-distribute-concurrently",
        "create_distributed_table_concurrently in a transaction",
        "It commits while it copies.",
        "-- pgratchet: transaction=none at the top of a file of its own.",
        bad="SELECT create_distributed_table_concurrently('users', 'tenant_id');",
        good="-- pgratchet: transaction=none\nSELECT create_distributed_table_concurrently('users', 'tenant_id');",
        on=("SelectStmt",),
        find=_concurrently,
    ),
)
