"""How a statement changes what is known of the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from pgratchet.lint import clearing, routines, using
from pgratchet.lint.act import Act
from pgratchet.lint.catalogue import Column, Domain, Function, Index, Table
from pgratchet.lint.defining import add_column, add_constraint, filled, set_column, set_table
from pgratchet.lint.known import Known, Transaction
from pgratchet.lint.tree import (
    Name,
    Node,
    columns,
    constant,
    dropped,
    last_two,
    name_of,
    option,
    single_expression,
    type_of,
    walk,
)

INDEXES = 1 << 6
"""The bit of LIKE … INCLUDING INDEXES in what a copy of a table takes over."""
TEMPORARY = -1
"""The file of a temporary table: nobody but us ever sees one."""


def follow(act: Act) -> None:
    """Take in what an act does."""
    change = _CHANGES.get(act.name)
    if change:
        change(act)


def begin(known: Known) -> None:
    """Begin a transaction."""
    known.transaction = Transaction()


def _add_column(act: Act) -> None:
    table = act.known.resolve(act.relation)
    if table not in act.known.tables and not act.node.get("missing_ok"):
        # It is new, whatever else the table has.
        act.known.bear("column", *table, act.definition["colname"])
    if not act.guarded and not act.node.get("missing_ok") and not filled(act.definition):
        act.known.empty.add((*table, act.definition["colname"]))
    add_column(act.known, table, act.definition)


def _create_table(act: Act) -> None:
    known, node = act.known, act.node.get("base", act.node)
    name = known.resolve(name_of(node["relation"]))
    if name in known.tables:
        return
    parents = [name_of(item["RangeVar"]) for item in node.get("inhRelations", ())]
    parent = known.resolve(parents[0]) if "partbound" in node and parents else None
    keys = tuple(
        item["PartitionElem"].get("name", "") for item in node.get("partspec", {}).get("partParams", ())
    )
    known.tables[name] = Table(
        name,
        "p" if "partspec" in node else "r",
        tuple(_inherited(known, node, parents)),
        0,
        partition_of=parent,
        default=bool(node.get("partbound", {}).get("is_default")),
        partition_key=keys,
        logged=node["relation"].get("relpersistence") != "u",
    )
    temporary = node["relation"].get("relpersistence") == "t"
    known.born["table", *name] = TEMPORARY if temporary else known.file
    for element in node.get("tableElts", ()):
        if "ColumnDef" in element:
            add_column(known, name, element["ColumnDef"])
        elif "Constraint" in element:
            add_constraint(known, name, element["Constraint"])
        elif element.get("TableLikeClause", {}).get("options", 0) & INDEXES:
            _copy_indexes(known, name_of(element["TableLikeClause"]["relation"]), name)


def _copy_indexes(known: Known, source: Name, table: Name) -> None:
    for index in known.indexes_of(source):
        suffix = "pkey" if index.name[1].endswith("_pkey") else "_".join((*index.columns, "idx"))
        name = (table[0], f"{table[1]}_{suffix}")
        known.indexes.put(name, replace(index, name=name, table=table))
        known.bear("index", *name)


def _inherited(known: Known, node: Node, parents: list[Name]) -> Iterator[Column]:
    likes = [name_of(item["TableLikeClause"]["relation"]) for item in _of(node, "TableLikeClause")]
    for other in (*parents, *likes):
        found = known.table(other)
        yield from found.columns if found else ()


def _of(node: Node, kind: str) -> list[Node]:
    return [item for item in node.get("tableElts", ()) if kind in item]


def _create_table_as(act: Act) -> None:
    relation = act.node["into"]["rel"]
    name = act.known.resolve(name_of(relation))
    if name in act.known.tables:
        return
    kind = "m" if act.node.get("objtype") == "OBJECT_MATVIEW" else "r"
    act.known.tables[name] = Table(name, kind)
    act.known.born["table", *name] = TEMPORARY if relation.get("relpersistence") == "t" else act.known.file


def _create_view(act: Act) -> None:
    name = act.known.resolve(name_of(act.node["view"]))
    using.view(act.known, name, act.node["query"])
    there = act.known.tables.get(name)
    if there is None or there.kind == "v":
        act.known.tables[name] = Table(name, "v", routines.columns_of(act.known, act.node) or ())
    if there is None:
        act.known.bear("table", *name)


def _validate(act: Act) -> None:
    key = (act.known.resolve(act.relation), act.node["name"])
    if found := act.known.constraints.get(*key):
        act.known.constraints.put(key, replace(found, valid=True))
        if found.kind == "n":
            for column in found.columns:
                set_column(act.known, act.relation, column, not_null=True)


def _drop_constraint(act: Act) -> None:
    table = act.known.resolve(act.relation)
    act.known.constraints.take(table, act.node["name"])
    act.known.indexes.take(table[0], act.node["name"])


def _drop_column(act: Act) -> None:
    table, gone = act.known.resolve(act.relation), act.node["name"]
    owner = act.known.tables.get(table)
    if owner:
        kept = tuple(column for column in owner.columns if column.name != gone)
        act.known.tables[table] = replace(owner, columns=kept)
    using.dropped_column(act.known, table, gone)
    for constraint in act.known.constraints.of(table):
        if gone in constraint.columns:
            act.known.constraints.take(table, constraint.name)
    for index in act.known.indexes.of(table):
        if gone in index.reads:
            act.known.indexes.take(*index.name)
    act.known.born.pop(("column", *table, gone), None)


def _change_type(act: Act) -> None:
    set_column(act.known, act.relation, act.node["name"], type=str(type_of(act.definition["typeName"])))


def _attach(act: Act) -> None:
    part = name_of(act.definition["name"])
    bound = act.definition.get("bound", {})
    set_table(
        act.known,
        part,
        partition_of=act.known.resolve(act.relation),
        default=bool(bound.get("is_default")),
    )


def _detach(act: Act) -> None:
    set_table(act.known, name_of(act.definition["name"]), partition_of=None)


def _create_index(act: Act) -> None:
    known, node = act.known, act.node
    table = known.resolve(act.relation)
    items = [item["IndexElem"] for item in node.get("indexParams", ())]
    keys = tuple(item.get("name", "") for item in items)
    name = (table[0], node.get("idxname") or "_".join((table[1], *(key or "expr" for key in keys), "idx")))
    if known.indexes.get(*name):
        return
    made = Index(
        name,
        table,
        node.get("accessMethod", "btree"),
        keys,
        tuple(sorted(columns([items, node.get("whereClause", {})]) | {key for key in keys if key})),
        unique=bool(node.get("unique")),
        computed="" in keys or "whereClause" in node,
    )
    known.indexes.put(name, made)
    known.bear("index", *name)


def _drop(act: Act) -> None:
    known, kind = act.known, act.node["removeType"]
    clearing.drop(act)
    for name in dropped(act.node):
        found = known.resolve(name)
        using.dropped(known, kind, name)
        if kind in {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"}:
            _forget_table(known, found)
        elif kind == "OBJECT_INDEX":
            known.indexes.take(*found)
            known.born.pop(("index", *found), None)
        elif kind in {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE"}:
            _drop_function(known, act.node, name)


def _drop_function(known: Known, node: Node, name: Name) -> None:
    for item in node["objects"]:
        called = item.get("ObjectWithArgs", {})
        if called and last_two(called["objname"]) == name:
            if "args_unspecified" in called:
                routines.forget_all(known, name)
            else:
                parameters = {"parameters": called.get("objfuncargs", [])}
                routines.forget(known, name, routines.signature(parameters))
    known.functions.pop(name[1], None)
    known.bodies.pop(name[1], None)


def _forget_table(known: Known, table: Name) -> None:
    known.tables.pop(table, None)
    known.born.pop(("table", *table), None)
    for constraint in known.constraints.of(table):
        known.constraints.take(table, constraint.name)
    for index in known.indexes.of(table):
        known.indexes.take(*index.name)


def _rename(act: Act) -> None:
    known, node = act.known, act.node
    kind, new = node["renameType"], node["newname"]
    if "relation" not in node:
        return
    table = known.resolve(name_of(node["relation"]))
    if kind == "OBJECT_COLUMN":
        set_column(known, table, node["subname"], name=new)
        if ("column", *table, node["subname"]) in known.born:
            known.born["column", *table, new] = known.born.pop(("column", *table, node["subname"]))
    elif kind in {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW"}:
        _move(known, table, (table[0], new))
    elif kind == "OBJECT_INDEX" and (index := known.indexes.take(*table)):
        known.indexes.put((table[0], new), replace(index, name=(table[0], new)))
        if ("index", *table) in known.born:
            known.born["index", table[0], new] = known.born.pop(("index", *table))


def _move(known: Known, old: Name, new: Name) -> None:
    if old not in known.tables:
        return
    known.tables[new] = replace(known.tables.pop(old), name=new)
    if ("table", *old) in known.born:
        known.born["table", *new] = known.born.pop(("table", *old))
    for constraint in known.constraints.of(old):
        known.constraints.take(old, constraint.name)
        known.constraints.put((new, constraint.name), replace(constraint, table=new))
        if check := known.checks.pop((old, constraint.name), None):
            known.checks[new, constraint.name] = check
    for index in known.indexes.of(old):
        known.indexes.take(*index.name)
        known.indexes.put(index.name, replace(index, table=new))


def _set_schema(act: Act) -> None:
    if "relation" in act.node:
        old = act.known.resolve(name_of(act.node["relation"]))
        _move(act.known, old, (act.node["newschema"], old[1]))


def _create_function(act: Act) -> None:
    schema, name = last_two(act.node["funcname"])
    options = {
        item["DefElem"]["defname"]: item["DefElem"].get("arg", {}) for item in act.node.get("options", ())
    }
    word = options.get("volatility", {}).get("String", {}).get("sval", "volatile")
    text = (options.get("as", {}).get("List", {}).get("items") or [{}])[0].get("String", {}).get("sval", "")
    plain = option(act.node, "options", "language") == "sql" and not {"security", "set"} & set(options)
    made = Function((schema, name), word == "volatile", single_expression(text) if plain else "")
    routines.declare(act.known, (schema, name), act.node)
    act.known.functions.setdefault(name, []).append(made)
    act.known.bear("function", name)


def _create_domain(act: Act) -> None:
    _, name = last_two(act.node["domainname"])
    constrained = any(
        item["Constraint"]["contype"] in {"CONSTR_CHECK", "CONSTR_NOTNULL"}
        for item in act.node.get("constraints", ())
    )
    base = type_of(act.node["typeName"])
    act.known.domains[name] = Domain(("", name), str(base), constrained)
    for item in act.node.get("constraints", ()):
        if item["Constraint"]["contype"] == "CONSTR_DEFAULT":
            act.known.defaults[name] = item["Constraint"]["raw_expr"]
    act.known.bear("type", name)


def _alter_domain(act: Act) -> None:
    _, name = last_two(act.node["typeName"])
    found = act.known.domains.get(name)
    if found and act.node["subtype"] in {"C", "O"}:
        act.known.domains[name] = replace(found, constrained=True)


def _create_type(act: Act) -> None:
    names = act.node["typeName"] if "typeName" in act.node else act.node.get("defnames", [])
    if names:
        act.known.bear("type", last_two(names)[1])


def _set(act: Act) -> None:
    values = [constant(item) for item in act.node.get("args", ())]
    if act.node.get("name") == "search_path" and act.node.get("kind") == "VAR_SET_VALUE":
        act.known.path = [value for value in values if value and value != "$user"] or act.known.path
    if act.node.get("name", "").lower() == "timezone" and values and values[0]:
        act.known.timezone = values[0]


def _select(act: Act) -> None:
    """Citus distributes a table by a function."""
    for call in walk(act.node, "FuncCall"):
        _, name = last_two(call["funcname"])
        arguments = [constant(argument) for argument in call.get("args", ())]
        if (
            name.startswith(("create_distributed_table", "create_reference_table"))
            and arguments
            and arguments[0]
        ):
            schema, _, table = arguments[0].rpartition(".")
            key = arguments[1] if len(arguments) > 1 and name.startswith("create_d") else ""
            act.known.distributed[act.known.resolve((schema, table))] = key or ""
        elif name == "set_config" and len(arguments) > 1 and arguments[0] == "search_path" and arguments[1]:
            act.known.path = [part.strip() for part in arguments[1].split(",")]


def _write(act: Act) -> None:
    if "relation" in act.node:
        act.known.transaction.written.add(act.known.resolve(name_of(act.node["relation"])))


def _drop_not_null(act: Act) -> None:
    set_column(act.known, act.relation, act.node["name"], not_null=False)


def _set_not_null(act: Act) -> None:
    set_column(act.known, act.relation, act.node["name"], not_null=True)


_CHANGES: dict[str, Callable[[Act], None]] = {
    "CreateStmt": _create_table,
    "CreateTableAsStmt": _create_table_as,
    "ViewStmt": _create_view,
    "AT_AddColumn": _add_column,
    "AT_AddConstraint": lambda act: add_constraint(
        act.known, act.known.resolve(act.relation), act.definition
    ),
    "AT_ValidateConstraint": _validate,
    "AT_DropConstraint": _drop_constraint,
    "AT_DropColumn": _drop_column,
    "AT_AlterColumnType": _change_type,
    "AT_SetNotNull": _set_not_null,
    "AT_DropNotNull": _drop_not_null,
    "AT_AttachPartition": _attach,
    "AT_DetachPartition": _detach,
    "AT_SetLogged": lambda act: set_table(act.known, act.relation, logged=True),
    "AT_SetUnLogged": lambda act: set_table(act.known, act.relation, logged=False),
    "IndexStmt": _create_index,
    "DropStmt": _drop,
    "DropRoleStmt": clearing.drop,
    "RenameStmt": _rename,
    "AlterObjectSchemaStmt": _set_schema,
    "CreateFunctionStmt": _create_function,
    "CreateDomainStmt": _create_domain,
    "AlterDomainStmt": _alter_domain,
    "CreateEnumStmt": _create_type,
    "CompositeTypeStmt": lambda act: act.known.bear("type", name_of(act.node["typevar"])[1]),
    "CreateRangeStmt": _create_type,
    "CreateSchemaStmt": lambda act: act.known.bear("schema", act.node.get("schemaname", "")),
    "CreateSeqStmt": lambda act: act.known.bear("table", *act.known.resolve(name_of(act.node["sequence"]))),
    "CreateExtensionStmt": lambda act: act.known.bear("extension", act.node["extname"]),
    "VariableSetStmt": _set,
    "SelectStmt": _select,
    "InsertStmt": _write,
    "UpdateStmt": _write,
    "DeleteStmt": _write,
}
