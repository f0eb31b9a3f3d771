"""pgvector: what makes a search of an index find too little, or read the whole table."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet import parse
from pgratchet.findings import Severity
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.rule import Rule
from pgratchet.lint.rules.vectors import EXTENSION, METHODS
from pgratchet.lint.tree import Node, columns, conjuncts, dropped, walk

FAMILY = "pgvector"
ITEMS = EXTENSION + "CREATE TABLE items (id bigint PRIMARY KEY, tenant_id uuid, embedding vector(3));\n"
INDEXED = ITEMS + (
    "CREATE INDEX items_embedding ON items USING hnsw (embedding vector_cosine_ops) WHERE tenant_id IS NULL;"
)
DISTANCES = {"<->", "<=>", "<#>", "<+>", "<~>", "<%>"}
TENANTS = {
    "tenant_id",
    "account_id",
    "company_id",
    "customer_id",
    "org_id",
    "organisation_id",
    "organization_id",
    "workspace_id",
}
SEARCH = "CREATE FUNCTION nearest(wanted vector, tenant uuid) RETURNS SETOF bigint LANGUAGE sql STABLE{}\n"
SEARCH += "    AS $$ SELECT id FROM items WHERE tenant_id = tenant ORDER BY embedding <=> wanted LIMIT 5 $$;"


def _filtered(act: Act) -> Iterator[Hit]:
    text = act.statement.sql
    if not any(operator in text for operator in DISTANCES) or "iterative_scan" in text.lower():
        return
    if act.name == "CreateFunctionStmt":
        body = parse.body(text, {act.name: act.node})
        trees = [parse.tree(inner.sql) for inner in body.statements] if body else []
    else:
        trees = [act.node]
    for select in walk(trees, "SelectStmt"):
        read = sorted(_filters(select)) if "limitCount" in select and _by_distance(select) else ()
        if read:
            yield Hit(
                f"the index gives its nearest rows first, and the filter by {', '.join(read)} takes some away"
            )
            return


def _filters(select: Node) -> Iterator[str]:
    """What the terms read that say anything else than how near a row has to be."""
    for term in conjuncts(select.get("whereClause", {})):
        operators = {item["name"][-1]["String"]["sval"] for item in walk(term, "A_Expr")}
        if not operators & DISTANCES and "NullTest" not in term:
            yield from columns(term)


def _by_distance(select: Node) -> bool:
    first = select.get("sortClause", [{}])[0].get("SortBy", {}).get("node", {}).get("A_Expr", {})
    return bool(first) and first["name"][-1]["String"]["sval"] in DISTANCES


def _shared(act: Act) -> Iterator[Hit]:
    table = act.known.table(act.relation)
    if act.node.get("accessMethod") not in METHODS or "whereClause" in act.node or table is None:
        return
    tenants = sorted({column.name for column in table.columns} & TENANTS)
    if tenants and table.kind != "p" and table.partition_of is None:
        yield Hit(
            f"one index holds the vectors of every {tenants[0]}: a search within one passes over all others"
        )


def _gap(act: Act) -> Iterator[Hit]:
    if act.node["removeType"] != "OBJECT_INDEX":
        return
    for name in dropped(act.node):
        index = act.known.indexes.get(*act.known.resolve(name))
        if index is None or index.method not in METHODS or act.known.fresh("index", *index.name):
            continue
        others = (
            other
            for other in act.known.indexes_of(index.table)
            if other is not index and other.method in METHODS and other.reads == index.reads and other.valid
        )
        if not any(others):
            yield Hit(f"from here on every search of {index.table[1]} reads the whole table")


RULES = (
    Rule(
        id="vector-filtered-search",
        family=FAMILY,
        severity=Severity.NOTE,
        title="A vector search with a filter, and no iterative scan",
        why="The index gives hnsw.ef_search rows (40), and the filter comes after: fewer rows than LIMIT come back, or none.",
        safe="SET hnsw.iterative_scan = strict_order on the function or the database (pgvector 0.8); for a filter of few "
        "values a partial index, for one of many a partitioned table.",
        setup=ITEMS,
        bad=SEARCH.format(""),
        good=SEARCH.format(" SET hnsw.iterative_scan = strict_order"),
        on=("CreateFunctionStmt", "ViewStmt"),
        find=_filtered,
    ),
    Rule(
        id="vector-index-of-all-tenants",
        family=FAMILY,
        severity=Severity.NOTE,
        title="One vector index over all tenants",
        why="A search within one tenant goes through the neighbours that others have, and finds fewer of its own.",
        safe="Partition the table by tenant, with an index on each partition; or partial indexes for the large tenants; or "
        "hnsw.iterative_scan.",
        setup=ITEMS,
        bad="CREATE INDEX CONCURRENTLY items_embedding ON items USING hnsw (embedding vector_cosine_ops);",
        good="CREATE INDEX CONCURRENTLY items_embedding ON items USING hnsw (embedding vector_cosine_ops)\n"
        "    WHERE tenant_id = '00000000-0000-0000-0000-000000000001';",
        on=("IndexStmt",),
        find=_shared,
    ),
    Rule(
        id="vector-index-gap",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A vector index is dropped before another one is there",
        why="Until the new one is built, which takes minutes to hours, each search reads every row.",
        safe="Build the new index CONCURRENTLY under another name first, and drop the old one in a later file.",
        setup=INDEXED,
        bad="DROP INDEX CONCURRENTLY items_embedding;",
        good="CREATE INDEX CONCURRENTLY items_embedding_l2 ON items USING hnsw (embedding vector_l2_ops) WHERE tenant_id IS NULL;",
        on=("DropStmt",),
        find=_gap,
    ),
)
