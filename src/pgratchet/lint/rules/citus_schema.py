"""Tables that Citus does not distribute, by their keys, columns and policies."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.lint.act import Act, Hit
from pgratchet.lint.rules.distributed import KEY, KEYS, TARGET, USERS, applies, key_of, keyed, rule
from pgratchet.lint.tree import (
    SERIAL,
    Node,
    constraint,
    constraints,
    name_of,
    shown,
    strings,
    type_of,
    walk,
)


def _table_keys(act: Act) -> Iterator[tuple[Node, list[str]]]:
    """The keys that a table or an action makes, each with its columns."""
    if act.name == "AT_AddConstraint":
        found = [(act.definition, None)]
    else:
        elements = act.node.get("tableElts", ())
        found = [(item["Constraint"], None) for item in elements if "Constraint" in item]
        for column in (item["ColumnDef"] for item in elements if "ColumnDef" in item):
            found += [(item, column["colname"]) for item in constraints(column)]
    for node, column in found:
        if node["contype"] in KEYS and "indexname" not in node:
            yield node, [column] if column else strings(node.get("keys", ()))


def _key_without(act: Act) -> Iterator[Hit]:
    own = act.node if act.name == "CreateStmt" else None
    if act.name == "IndexStmt":
        names = {item["IndexElem"].get("name") for item in act.node.get("indexParams", ())}
        if act.node.get("unique") and keyed(act, act.relation) and key_of(act, act.relation) not in names:
            yield Hit(
                f"Citus refuses a unique index of {act.label} without {key_of(act, act.relation)} (0A000)"
            )
    elif keyed(act, act.relation, own):
        for _, names_of_key in _table_keys(act):
            if key_of(act, act.relation) not in names_of_key:
                yield Hit(f"Citus refuses a key of {act.label} without {key_of(act, act.relation)} (0A000)")


def _foreign_keys(act: Act) -> Iterator[tuple[Node, list[str]]]:
    nodes = [act.definition] if act.name == "AT_AddConstraint" else []
    for item in act.node.get("tableElts", ()) if act.name == "CreateStmt" else ():
        if "Constraint" in item:
            nodes.append(item["Constraint"])
        column = item.get("ColumnDef", {})
        named = {"fk_attrs": [{"String": {"sval": column.get("colname", "")}}]}
        nodes += [inner | named for inner in constraints(column)]
    for node in nodes:
        if node["contype"] == "CONSTR_FOREIGN":
            yield node, strings(node.get("fk_attrs", ()))


def _foreign_key(act: Act) -> Iterator[Hit]:
    own = act.node if act.name == "CreateStmt" else None
    for node, names in _foreign_keys(act) if keyed(act, act.relation, own) else ():
        other = name_of(node["pktable"])
        key = key_of(act, act.relation)
        theirs = strings(node.get("pk_attrs", ()))
        placed = key in names and (not theirs or theirs[names.index(key)] == key_of(act, other))
        if not placed and keyed(act, other):
            yield Hit(
                f"Citus refuses a foreign key to {shown(other)} without {key} in the same place on both sides (0A000)"
            )


def _set_null(act: Act) -> Iterator[Hit]:
    own = act.node if act.name == "CreateStmt" else None
    for node, names in _foreign_keys(act) if keyed(act, act.relation, own) else ():
        if node.get("fk_del_action") in {"n", "d"} and key_of(act, act.relation) in names:
            yield Hit(
                "Citus refuses ON DELETE SET NULL and SET DEFAULT with the distribution column in the key (0A000)"
            )


def _local_key(act: Act) -> Iterator[Hit]:
    if act.known.resolve(act.relation) in act.known.distributed or act.known.target != TARGET:
        return
    own = act.node if act.name == "CreateStmt" else None
    for node, _ in _foreign_keys(act) if not keyed(act, act.relation, own) else ():
        other = name_of(node["pktable"])
        if keyed(act, other):
            yield Hit(
                f"{act.label} has no {KEY}, and refers to {shown(other)}, which has: a delete there neither checks nor cascades"
            )


def _policy(act: Act) -> Iterator[Hit]:
    if applies(act, name_of(act.node["table"])) and list(walk(act.node, "SubLink")):
        yield Hit("Citus refuses a policy with a subquery (0A000)")


def _inherits(act: Act) -> Iterator[Hit]:
    if act.node.get("inhRelations") and "partbound" not in act.node and applies(act, act.relation):
        yield Hit("Citus distributes neither a table that others inherit from nor one that inherits (42809)")


def _number(act: Act) -> Iterator[Hit]:
    for item in act.node.get("tableElts", ()) if applies(act, act.relation) else ():
        column = item.get("ColumnDef", {"typeName": {"names": [{"String": {"sval": ""}}]}})
        kind = type_of(column.get("typeName")).name
        small = kind in {"int2", "int4"} and constraint(column, "CONSTR_IDENTITY")
        if (kind in SERIAL and SERIAL[kind] != "int8") or small:
            yield Hit(
                f"{column['colname']} takes no number on a worker: its sequence is smaller than bigint (XX000)"
            )


def _generated(act: Act) -> Iterator[Hit]:
    for item in act.node.get("tableElts", ()) if applies(act, act.relation) else ():
        column = item.get("ColumnDef", {})
        if column.get("colname") == key_of(act, act.relation) and constraint(column, "CONSTR_GENERATED"):
            yield Hit("Citus does not distribute a table by a generated column (0A000)")


RULES = (
    rule(
        "citus-key-without-tenant",
        "A key without the distribution column",
        "A node can keep a key unique among its own rows alone.",
        "Begin the key with the distribution column; what has to be unique over all gets a table of its own, keyed by it.",
        bad="CREATE TABLE visits (tenant_id uuid, visit_id uuid PRIMARY KEY);",
        good="CREATE TABLE visits (tenant_id uuid, visit_id uuid, PRIMARY KEY (tenant_id, visit_id));",
        on=("CreateStmt", "AT_AddConstraint", "IndexStmt"),
        find=_key_without,
    ),
    rule(
        "citus-foreign-key-without-tenant",
        "A foreign key without the distribution column",
        "The row that it refers to may lie on another node.",
        "FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id).",
        setup=USERS + "\nCREATE UNIQUE INDEX users_user ON users (user_id);",
        bad="CREATE TABLE visits (tenant_id uuid, user_id uuid REFERENCES users (user_id));",
        good="CREATE TABLE visits (tenant_id uuid, user_id uuid,\n"
        "    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id));",
        on=("CreateStmt", "AT_AddConstraint"),
        find=_foreign_key,
    ),
    rule(
        "citus-on-delete-set",
        "ON DELETE SET NULL over the distribution column",
        "It would set the distribution column as well.",
        "ON DELETE CASCADE, or NO ACTION.",
        bad="CREATE TABLE visits (tenant_id uuid, user_id uuid,\n"
        "    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id) ON DELETE SET NULL);",
        good="CREATE TABLE visits (tenant_id uuid, user_id uuid,\n"
        "    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id) ON DELETE CASCADE);",
        on=("CreateStmt", "AT_AddConstraint"),
        find=_set_null,
    ),
    rule(
        "citus-local-foreign-key",
        "A table of one node refers to a distributed one",
        "Citus takes it and checks inserts, but a delete in the other table leaves orphans.",
        "Give the table a tenant_id and distribute it, or leave the foreign key out.",
        bad="CREATE TABLE pages (page text PRIMARY KEY, owner uuid REFERENCES tenants (tenant_id));",
        good="CREATE TABLE pages (page text PRIMARY KEY, owner uuid);",
        on=("CreateStmt", "AT_AddConstraint"),
        find=_local_key,
    ),
    rule(
        "citus-policy-subquery",
        "A policy with a subquery",
        "The other table may lie on another node.",
        "Compare tenant_id with current_setting('app.tenant_id', true).",
        bad="CREATE POLICY own ON users USING (tenant_id IN (SELECT tenant_id FROM tenants));",
        good="CREATE POLICY own ON users USING (tenant_id = current_setting('app.tenant_id', true)::uuid);",
        on=("CreatePolicyStmt", "AlterPolicyStmt"),
        find=_policy,
    ),
    rule(
        "citus-inheritance",
        "A table that inherits",
        "Citus distributes plain and partitioned tables.",
        "Partitions, or a column that tells the kinds apart.",
        bad="CREATE TABLE admins (level integer) INHERITS (users);",
        good="CREATE TABLE admins (tenant_id uuid, user_id uuid, level integer, PRIMARY KEY (tenant_id, user_id));",
        on=("CreateStmt",),
        find=_inherits,
    ),
    rule(
        "citus-small-sequence",
        "A serial or identity of four bytes",
        "Numbers of a worker begin at 2^48.",
        "uuid, or bigint GENERATED … AS IDENTITY where nothing sorts by it.",
        bad="CREATE TABLE visits (tenant_id uuid, number serial);",
        good="CREATE TABLE visits (tenant_id uuid, number bigserial);",
        on=("CreateStmt",),
        find=_number,
    ),
    rule(
        "citus-generated-key",
        "A generated distribution column",
        "Citus has to know the value before the row is made.",
        "A plain column that the application fills.",
        bad="CREATE TABLE visits (user_id uuid, tenant_id uuid GENERATED ALWAYS AS (user_id) STORED);",
        good="CREATE TABLE visits (user_id uuid, tenant_id uuid);",
        on=("CreateStmt",),
        find=_generated,
    ),
)
