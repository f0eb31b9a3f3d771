"""Statements that read a whole table while nobody may write to it, or even read."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.findings import Severity
from pgratchet.lint import bounds, retyping
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.known import Known
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import (
    Name,
    Node,
    conjuncts,
    constraint,
    last_two,
    name_of,
    shown,
    strings,
)

FAMILY = "scans"
USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email text, age integer);"
ORDERS = (
    USERS
    + "\nCREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint);\nCREATE INDEX ON orders (user_id);"
)
PARTS = "CREATE TABLE events (day date NOT NULL, note text) PARTITION BY RANGE (day);\n"


def _not_null(act: Act, column: str) -> Iterator[Hit]:
    if not act.alters_table:
        return
    answer = act.known.not_null(act.relation, column)
    if not answer:
        doubt = "" if answer is False else ", unless a valid CHECK says already that it holds no null"
        yield Hit(
            f"{act.label}{act.size} is read in full: {column} is looked at in each row{doubt}",
            answer is False,
        )


def _set_not_null(act: Act) -> Iterator[Hit]:
    yield from _not_null(act, act.node["name"])


def _add_not_null(act: Act) -> Iterator[Hit]:
    node = act.definition
    if (
        act.node["subtype"] == "AT_AddConstraint"
        and node["contype"] == "CONSTR_NOTNULL"
        and not node.get("skip_validation")
    ):
        yield from _not_null(act, strings(node["keys"])[0])


def _add_check(act: Act) -> Iterator[Hit]:
    node = act.definition
    if node["contype"] == "CONSTR_CHECK" and act.alters_table and _checks(node):
        yield Hit(f"{act.label}{act.size} is read in full: the constraint is checked for each row")


def _checks(node: Node) -> bool:
    return not node.get("skip_validation") and bool(node.get("is_enforced", True))


def _column_check(act: Act) -> Iterator[Hit]:
    check = constraint(act.definition, "CONSTR_CHECK")
    if check and act.alters_table and check.get("is_enforced", True):
        yield Hit(
            f"{act.label}{act.size} is read in full: the constraint of the new column is checked for each row"
        )


def _foreign_key(act: Act) -> Iterator[Hit]:
    node = act.definition
    if node["contype"] == "CONSTR_FOREIGN" and act.alters_table and _checks(node):
        other = shown(name_of(node["pktable"]))
        yield Hit(
            f"{act.label}{act.size} is read in full, and nobody can write to it or to {other} meanwhile"
        )


def _column_key(act: Act) -> Iterator[Hit]:
    key = constraint(act.definition, "CONSTR_FOREIGN")
    filled = any(
        constraint(act.definition, f"CONSTR_{kind}") for kind in ("DEFAULT", "GENERATED", "IDENTITY")
    )
    if key and filled and act.alters_table and key.get("is_enforced", True):
        other = shown(name_of(key["pktable"]))
        yield Hit(f"{act.label}{act.size} is read in full, and its new key looked up in {other} for each row")


def _validate(act: Act) -> Iterator[Hit]:
    table = act.known.resolve(act.relation)
    if act.alters_table and (table, act.node["name"]) in act.known.transaction.not_valid:
        yield Hit(
            f"{act.label}{act.size} is read in full under the lock that ADD CONSTRAINT took in the same transaction"
        )


def _attach(act: Act) -> Iterator[Hit]:
    part = name_of(act.definition["name"])
    if act.known.fresh_table(part):
        return
    bound = act.definition.get("bound", {})
    proof = _proved(act.known, act.relation, part, bound)
    if not proof:
        doubt = "" if proof is False else ", unless a valid CHECK says already that its rows belong there"
        yield Hit(f"{shown(part)} is read in full{doubt}", likely=proof is False)


def _proved(known: Known, parent: Name, part: Name, bound: Node) -> bool | None:
    """Whether the checks of a table imply the bounds of a partition; None where they are not known."""
    table, owner = known.table(part), known.table(parent)
    if table is None or owner is None:
        return None
    if bound.get("is_default"):
        return not known.partitions_of(parent)
    checks = [check for item in known.constraints_of(part) if (check := known.check(item))]
    terms = [term for check in checks for term in conjuncts(check)]
    inside = bounds.implied(terms, owner.partition_key, bound)
    return inside and all(known.not_null(part, key) for key in owner.partition_key)


def _default_partition(act: Act) -> Iterator[Hit]:
    """A new partition takes rows that the default one may hold, so all of that is read."""
    if act.name == "CreateStmt":
        if "partbound" not in act.node:
            return
        parent = name_of(act.node["inhRelations"][0]["RangeVar"])
        bound = act.node["partbound"]
    else:
        parent, bound = act.relation, act.definition.get("bound", {})
    if bound.get("is_default") or act.known.fresh_table(parent):
        return
    for part in act.known.partitions_of(parent):
        if part.default and not act.known.fresh_table(part.name):
            yield Hit(
                f"the default partition {shown(part.name)} is read in full: it may hold rows of the new one"
            )


def _domain(act: Act) -> Iterator[Hit]:
    name = last_two(act.node["typeName"])[1]
    kind = act.node["subtype"]
    adds = kind in {"O", "V"} or (kind == "C" and not act.node["def"]["Constraint"].get("skip_validation"))
    used = name not in act.known.domains or any(
        column.type.rpartition(".")[2] == name
        for table in act.known.tables.values()
        for column in table.columns
    )
    if adds and used and not act.known.fresh("type", name):
        yield Hit(f"every table with a column of the domain {name} is read in full")


def _enforce(act: Act) -> Iterator[Hit]:
    node = act.definition
    if node.get("alterEnforceability") and node.get("is_enforced") and act.alters_table:
        yield Hit(f"{act.label}{act.size} is read in full: {node['conname']} was not checked before")


def _primary_key(act: Act) -> Iterator[Hit]:
    node = act.definition
    if node["contype"] != "CONSTR_PRIMARY" or "indexname" not in node or not act.alters_table:
        return
    index = act.known.indexes.get(*act.known.resolve(("", node["indexname"])))
    answers = [act.known.not_null(act.relation, column) for column in index.columns] if index else [None]
    if not all(answers):
        certain = False in answers
        yield Hit(
            f"{act.label}{act.size} is read in full, unless the columns of the key are NOT NULL already"
            if not certain
            else f"{act.label}{act.size} is read in full: the columns of the key become NOT NULL",
            likely=certain,
        )


def _checked_type(act: Act) -> Iterator[Hit]:
    if not act.alters_table or retyping.change(act.known, act.relation, act.node).rewrites is not False:
        return
    name = act.node["name"]
    for item in act.known.constraints_of(act.relation):
        if item.kind == "c" and item.valid and name in item.columns:
            yield Hit(
                f"{act.label}{act.size} is read in full: {item.name} on {name} is checked anew for each row"
            )
            return


RULES = (
    Rule(
        id="set-not-null",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A column becomes NOT NULL with a scan",
        why="PostgreSQL reads the table to see that there is no null, unless a valid CHECK (column IS NOT NULL) says so already.",
        lock="ACCESS EXCLUSIVE on the table, while it is read",
        safe="ADD CONSTRAINT … CHECK (column IS NOT NULL) NOT VALID; in a later file VALIDATE CONSTRAINT; then SET NOT NULL "
        "reads nothing, and the CHECK can go.",
        setup=USERS,
        bad="ALTER TABLE users ALTER COLUMN email SET NOT NULL;",
        good="ALTER TABLE users ADD CONSTRAINT users_email_not_null CHECK (email IS NOT NULL) NOT VALID;",
        on=("AT_SetNotNull", "AT_AddConstraint"),
        find=lambda act: _set_not_null(act) if act.name == "AT_SetNotNull" else _add_not_null(act),
    ),
    Rule(
        id="add-check",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A CHECK is added and validated at once",
        why="Every row is checked before the statement ends.",
        lock="ACCESS EXCLUSIVE on the table, while it is read",
        safe="ADD CONSTRAINT … CHECK (…) NOT VALID, and VALIDATE CONSTRAINT in a later file, which lets others read and write.",
        setup=USERS,
        bad="ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age > 0);",
        good="ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age > 0) NOT VALID;",
        on=("AT_AddConstraint",),
        find=_add_check,
    ),
    Rule(
        id="add-column-check",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A column is added with a CHECK",
        why="The constraint of the new column is checked for every old row.",
        lock="ACCESS EXCLUSIVE on the table, while it is read",
        safe="Add the column alone, then ADD CONSTRAINT … NOT VALID, and VALIDATE CONSTRAINT in a later file.",
        setup=USERS,
        bad="ALTER TABLE users ADD COLUMN height integer CHECK (height > 0);",
        good="ALTER TABLE users ADD COLUMN height integer;\n"
        "ALTER TABLE users ADD CONSTRAINT users_height_check CHECK (height > 0) NOT VALID;",
        on=("AT_AddColumn",),
        find=_column_check,
    ),
    Rule(
        id="add-foreign-key",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A foreign key is added and validated at once",
        why="Every row is looked up in the other table before the statement ends.",
        lock="SHARE ROW EXCLUSIVE on both tables, while the referring one is read",
        safe="ADD CONSTRAINT … FOREIGN KEY … NOT VALID, and VALIDATE CONSTRAINT in a later file, which lets others write.",
        setup=ORDERS,
        bad="ALTER TABLE orders ADD CONSTRAINT orders_user_fkey FOREIGN KEY (user_id) REFERENCES users (id);",
        good="ALTER TABLE orders ADD CONSTRAINT orders_user_fkey FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;",
        on=("AT_AddConstraint",),
        find=_foreign_key,
    ),
    Rule(
        id="add-column-foreign-key",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A column is added with a foreign key and a value",
        why="The value of the old rows is looked up in the other table, for each of them.",
        lock="ACCESS EXCLUSIVE on the table and SHARE ROW EXCLUSIVE on the other, while the table is read",
        safe="Add the column, then ADD CONSTRAINT … FOREIGN KEY … NOT VALID, and VALIDATE CONSTRAINT in a later file.",
        setup=ORDERS,
        bad="ALTER TABLE orders ADD COLUMN seller_id bigint DEFAULT 1 REFERENCES users (id);",
        good="ALTER TABLE orders ADD COLUMN seller_id bigint REFERENCES users (id);",
        on=("AT_AddColumn",),
        find=_column_key,
    ),
    Rule(
        id="validate-in-same-transaction",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A constraint is validated in the transaction that added it",
        why="The strong lock of ADD CONSTRAINT is held until the commit, so the gentle scan of VALIDATE is not gentle.",
        lock="That of ADD CONSTRAINT, ACCESS EXCLUSIVE for a CHECK, while the table is read",
        safe="Write VALIDATE CONSTRAINT into a later file.",
        setup=USERS,
        bad="ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age > 0) NOT VALID;\n"
        "ALTER TABLE users VALIDATE CONSTRAINT users_age_check;",
        good="ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age > 0) NOT VALID;",
        on=("AT_ValidateConstraint",),
        find=_validate,
    ),
    Rule(
        id="attach-partition-scan",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A partition is attached with a scan",
        why="Every row is checked against the bounds, unless a valid CHECK says already that all lie between them.",
        lock="ACCESS EXCLUSIVE on the partition, while it is read",
        safe="Add a CHECK with the bounds NOT VALID, validate it in a later file, attach, and drop the CHECK.",
        setup=PARTS + "CREATE TABLE events_2025 (day date NOT NULL, note text);",
        bad="ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
        good="ALTER TABLE events_2025 ADD CONSTRAINT bounds CHECK (day >= '2025-01-01' AND day < '2026-01-01') NOT VALID;",
        on=("AT_AttachPartition",),
        find=_attach,
    ),
    Rule(
        id="partition-beside-default",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A partition is added beside a default one",
        why="The default partition is read in full, since it may hold rows that belong to the new one.",
        lock="ACCESS EXCLUSIVE on the default partition, while it is read",
        safe="Add a valid CHECK to the default partition that leaves out the bounds of the new one, or have no default partition.",
        setup=PARTS + "CREATE TABLE events_rest PARTITION OF events DEFAULT;\n"
        "INSERT INTO events VALUES ('2020-02-02', 'long ago');\n"
        "CREATE TABLE events_2025 (day date NOT NULL, note text);",
        bad="-- pgratchet: ignore create-partition, attach-partition-scan only the default one is looked at here\n"
        "CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');\n"
        "ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
        good="CREATE TABLE events_2026 (LIKE events INCLUDING ALL);",
        on=("CreateStmt", "AT_AttachPartition"),
        find=_default_partition,
    ),
    Rule(
        id="add-domain-constraint",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A constraint of a domain is checked",
        why="Every table that has a column of the domain is read.",
        lock="SHARE on each of these tables, while it is read",
        safe="ALTER DOMAIN … ADD CONSTRAINT … NOT VALID checks new values alone; VALIDATE CONSTRAINT takes the same lock.",
        setup="CREATE DOMAIN code AS text;\nCREATE TABLE users (id bigint PRIMARY KEY, code code);",
        bad="ALTER DOMAIN code ADD CONSTRAINT code_check CHECK (VALUE <> '');",
        good="ALTER DOMAIN code ADD CONSTRAINT code_check CHECK (VALUE <> '') NOT VALID;",
        on=("AlterDomainStmt",),
        find=_domain,
    ),
    Rule(
        id="enforce-constraint",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A constraint that was not enforced becomes so",
        why="Every row is checked before the statement ends.",
        lock="ACCESS EXCLUSIVE on the table, while it is read",
        safe="Add a second constraint NOT VALID, validate it in a later file, and drop the one that is not enforced.",
        setup=USERS + "\nCREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint,\n"
        "    CONSTRAINT orders_user_fkey FOREIGN KEY (user_id) REFERENCES users (id) NOT ENFORCED);",
        bad="ALTER TABLE orders ALTER CONSTRAINT orders_user_fkey ENFORCED;",
        good="ALTER TABLE orders ALTER CONSTRAINT orders_user_fkey NOT ENFORCED;",
        on=("AT_AlterConstraint",),
        find=_enforce,
    ),
    Rule(
        id="primary-key-of-nullable",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A primary key makes its columns NOT NULL with a scan",
        why="The index may be there, but the columns are looked at in each row.",
        lock="ACCESS EXCLUSIVE on the table, while it is read",
        safe="Make the columns NOT NULL first, by the way of set-not-null.",
        setup="CREATE TABLE users (id bigint, email text);\nCREATE UNIQUE INDEX users_id ON users (id);",
        bad="ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_id;",
        good="ALTER TABLE users ADD CONSTRAINT users_id_key UNIQUE USING INDEX users_id;",
        on=("AT_AddConstraint",),
        find=_primary_key,
    ),
    Rule(
        id="change-type-checks-anew",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A column with a CHECK gets another type",
        why="The values stay as they are, but each CHECK on the column is made anew, and every row read for it.",
        lock="ACCESS EXCLUSIVE on the table, while it is read",
        safe="Drop the CHECK first, and add it again NOT VALID behind the change; validate it in a later file.",
        setup="CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) CHECK (name <> ''));",
        bad="ALTER TABLE users ALTER COLUMN name TYPE varchar(100);",
        good="ALTER TABLE users ALTER COLUMN name SET DEFAULT 'nobody';",
        on=("AT_AlterColumnType",),
        find=_checked_type,
    ),
)
