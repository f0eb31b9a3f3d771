"""pgvector: indexes that cannot be built, never serve, or serve badly, and changes of dimensions."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet.findings import Severity
from pgratchet.lint.act import Act, Hit
from pgratchet.lint.catalogue import Catalogue, Column, Table
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import Node, Type, option, strings, type_of

FAMILY = "pgvector"
EXTENSION = "CREATE EXTENSION vector;\n"
ITEMS = (
    EXTENSION
    + "CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(1536), wide vector(3072), bare vector);"
)
# In its limits, an index of pgvector is built CONCURRENTLY in all examples.
MOST = {"vector": 2000, "halfvec": 4000, "bit": 64000}
KINDS = {"vector", "halfvec", "sparsevec"}
METHODS = {"hnsw", "ivfflat"}
CLASSES = {
    "vector": ("vector_l2_ops", "vector_ip_ops", "vector_cosine_ops", "vector_l1_ops"),
    "halfvec": ("halfvec_l2_ops", "halfvec_ip_ops", "halfvec_cosine_ops", "halfvec_l1_ops"),
    "sparsevec": ("sparsevec_l2_ops", "sparsevec_ip_ops", "sparsevec_cosine_ops", "sparsevec_l1_ops"),
    "bit": ("bit_hamming_ops", "bit_jaccard_ops"),
}
BYTES = {"vector": 4, "halfvec": 2, "bit": 0.125, "sparsevec": 4}


def _parts(act: Act) -> Iterator[tuple[Node, Type | None, str]]:
    """The keys of an index, each with its type where it is known, and how people name it."""
    for item in act.node.get("indexParams", ()):
        element = item["IndexElem"]
        if "name" in element:
            yield element, act.known.type_of(act.relation, element["name"]), element["name"]
        elif "TypeCast" in element.get("expr", {}):
            kind = type_of(element["expr"]["TypeCast"]["typeName"])
            yield element, kind, "the expression"


def _vector_index(act: Act) -> bool:
    return act.node.get("accessMethod") in METHODS


def _too_wide(act: Act) -> Iterator[Hit]:
    for _, kind, name in _parts(act) if _vector_index(act) else ():
        if kind and kind.mods and kind.mods[0] > MOST.get(kind.name, kind.mods[0]):
            yield Hit(
                f"{name} has {kind.mods[0]} dimensions, and an index of {kind.name} can have {MOST[kind.name]}"
            )


def _bare(act: Act) -> Iterator[Hit]:
    for _, kind, name in _parts(act) if _vector_index(act) else ():
        if kind and kind.name in KINDS and not kind.mods:
            yield Hit(f"{name} has no dimensions (22023)")


def _no_class(act: Act) -> Iterator[Hit]:
    if act.node.get("accessMethod") == "hnsw" and any(
        "opclass" not in part["IndexElem"] for part in act.node["indexParams"]
    ):
        yield Hit("hnsw has no default operator class (42704)")


def _default_class(act: Act) -> Iterator[Hit]:
    if act.node.get("accessMethod") == "ivfflat" and any(
        "opclass" not in part["IndexElem"] for part in act.node["indexParams"]
    ):
        yield Hit("without an operator class the index is for <->, L2 distance, and no other query uses it")


def _mismatch(act: Act) -> Iterator[Hit]:
    for element, kind, name in _parts(act) if _vector_index(act) else ():
        if kind and kind.name in CLASSES and "opclass" in element:
            given = strings(element["opclass"])[-1]
            if given not in CLASSES[kind.name] and any(given in known for known in CLASSES.values()):
                yield Hit(f"{given} is not for {kind.name}, which {name} is (42804)")


def _empty(act: Act) -> Iterator[Hit]:
    table = act.known.table(act.relation)
    few = act.fresh or (table is not None and act.known.catalogue is not None and 0 <= table.rows < 1000)
    if act.node.get("accessMethod") == "ivfflat" and (few or not act.known.catalogue):
        doubt = "" if few else ", where the table holds few"
        yield Hit(
            f"ivfflat learns its lists from the rows that are there now{doubt}, and never again", likely=few
        )


def _lists(act: Act) -> Iterator[Hit]:
    lists = option(act.node, "options", "lists")
    table = act.known.table(act.relation)
    if act.node.get("accessMethod") != "ivfflat" or table is None or table.rows < 1000:
        return
    wanted = table.rows // 1000 if table.rows <= 1_000_000 else int(table.rows**0.5)
    if lists and not wanted / 4 <= int(lists) <= wanted * 4:
        yield Hit(f"{lists} lists for about {table.rows:,} rows; {wanted} would fit")


def _memory(act: Act) -> Iterator[Hit]:
    table, facts = act.known.table(act.relation), act.known.catalogue
    if (
        act.node.get("accessMethod") != "hnsw"
        or table is None
        or facts is None
        or not facts.maintenance_work_mem
    ):
        return
    links = int(option(act.node, "options", "m") or 16) * 2 * 8
    for _, kind, _name in _parts(act):
        need = int(
            table.rows
            * ((kind.mods[0] if kind and kind.mods else 0) * BYTES.get(kind.name if kind else "", 4) + links)
        )
        if need > facts.maintenance_work_mem:
            yield Hit(
                f"the graph of about {table.rows:,} rows takes at least {need >> 20:,} MB, and "
                f"maintenance_work_mem is {facts.maintenance_work_mem >> 20:,} MB: the build becomes many times slower"
            )


def _options(act: Act) -> Iterator[Hit]:
    if not _vector_index(act):
        return
    method = act.node["accessMethod"]
    for name in ("lists",) if method == "hnsw" else ("m", "ef_construction"):
        if option(act.node, "options", name) is not None:
            yield Hit(f"{method} has no option {name} (22023)")
    links, width = option(act.node, "options", "m"), option(act.node, "options", "ef_construction")
    if method == "hnsw" and int(width or 64) < 2 * int(links or 16):
        yield Hit("ef_construction has to be at least 2 * m (22023)")
    for key, what in (("unique", "UNIQUE"), ("indexIncludingParams", "INCLUDE")):
        if act.node.get(key):
            yield Hit(f"{method} takes no {what} (0A000)")
    if len(act.node.get("indexParams", ())) > 1:
        yield Hit(f"{method} takes one column (0A000)")


def _dimensions(act: Act) -> Iterator[Hit]:
    new = type_of(act.definition["typeName"])
    if new.name not in KINDS or not new.mods or not act.alters_table:
        return
    old = act.known.type_of(act.relation, act.node["name"])
    if old and old.name in KINDS and old.mods != new.mods and old.mods:
        yield Hit(
            f"{act.node['name']} changes from {old.mods[0]} to {new.mods[0]} dimensions: it fails at the first row that is not null"
        )


def _plain_index(act: Act) -> Iterator[Hit]:
    if act.node.get("accessMethod", "btree") == "btree":
        for _, kind, name in _parts(act):
            if kind and kind.name in KINDS:
                yield Hit(
                    f"{name} gets a btree, which no search for neighbours uses, and which a long vector does not fit into"
                )


def _old(act: Act) -> Iterator[Hit]:
    version = act.known.catalogue.extensions.get("vector") if act.known.catalogue else None
    if version is None or not _vector_index(act):
        return
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    needs = (
        (0, 7)
        if any(kind and kind.name in {"halfvec", "sparsevec"} for _, kind, _ in _parts(act))
        else (0, 5)
    )
    if act.node["accessMethod"] == "hnsw" and numbers < needs:
        yield Hit(f"it needs pgvector {needs[0]}.{needs[1]}, and the database has {version}")


_FULL = Catalogue(
    180000,
    maintenance_work_mem=64 << 20,
    tables=(
        Table(
            ("public", "items"),
            "r",
            (Column("id", "bigint"), Column("embedding", "vector(1536)")),
            rows=1_000_000,
        ),
    ),
    extensions={"vector": "0.4.4"},
)


RULES = (
    Rule(
        id="vector-index-too-wide",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A vector index on too many dimensions",
        why="An index can have 2,000 dimensions of vector and 4,000 of halfvec (54000).",
        safe="CREATE INDEX … USING hnsw ((column::halfvec(3072)) halfvec_cosine_ops), and the same cast in the queries.",
        setup=ITEMS,
        bad="CREATE INDEX CONCURRENTLY items_wide ON items USING hnsw (wide vector_cosine_ops);",
        good="CREATE INDEX CONCURRENTLY items_wide ON items USING hnsw ((wide::halfvec(3072)) halfvec_cosine_ops);",
        on=("IndexStmt",),
        find=_too_wide,
    ),
    Rule(
        id="vector-index-without-dimensions",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A vector index on a column without dimensions",
        why="The type has to say how many there are: column does not have dimensions (22023).",
        safe="CREATE INDEX … ((column::vector(1536)) vector_cosine_ops), or give the column its dimensions.",
        setup=ITEMS,
        bad="CREATE INDEX CONCURRENTLY items_bare ON items USING hnsw (bare vector_cosine_ops);",
        good="CREATE INDEX CONCURRENTLY items_bare ON items USING hnsw ((bare::vector(1536)) vector_cosine_ops);",
        on=("IndexStmt",),
        find=_bare,
    ),
    Rule(
        id="hnsw-without-operator-class",
        family=FAMILY,
        severity=Severity.ERROR,
        title="An HNSW index without an operator class",
        why="HNSW has no default one, since it says which distance the index is for.",
        safe="vector_cosine_ops for <=>, vector_ip_ops for <#>, vector_l2_ops for <->.",
        setup=ITEMS,
        bad="CREATE INDEX CONCURRENTLY items_embedding ON items USING hnsw (embedding);",
        good="CREATE INDEX CONCURRENTLY items_embedding ON items USING hnsw (embedding vector_cosine_ops);",
        on=("IndexStmt",),
        find=_no_class,
    ),
    Rule(
        id="ivfflat-default-operator-class",
        family=FAMILY,
        severity=Severity.WARNING,
        title="An IVFFlat index without an operator class",
        why="It is silently built for L2 distance: a query for cosine distance or inner product reads the whole table.",
        safe="Name the operator class: vector_cosine_ops for <=>, vector_ip_ops for <#>, vector_l2_ops for <->.",
        setup=ITEMS,
        bad="-- pgratchet: ignore ivfflat-few-rows it holds a million\n"
        "CREATE INDEX CONCURRENTLY items_embedding ON items USING ivfflat (embedding);",
        good="CREATE INDEX CONCURRENTLY items_embedding ON items USING hnsw (embedding vector_cosine_ops);",
        on=("IndexStmt",),
        find=_default_class,
    ),
    Rule(
        id="vector-operator-class-mismatch",
        family=FAMILY,
        severity=Severity.ERROR,
        title="An operator class of another vector type",
        why="The class is for the type that it is named after.",
        safe="Take the class of the column's type, or cast the column in the index and in the queries.",
        setup=ITEMS,
        bad="CREATE INDEX CONCURRENTLY items_embedding ON items USING hnsw (embedding halfvec_cosine_ops);",
        good="CREATE INDEX CONCURRENTLY items_embedding ON items USING hnsw ((embedding::halfvec(1536)) halfvec_cosine_ops);",
        on=("IndexStmt",),
        find=_mismatch,
    ),
    Rule(
        id="ivfflat-few-rows",
        family=FAMILY,
        severity=Severity.WARNING,
        title="An IVFFlat index on a table with few rows",
        why="Its lists are the centres of the rows that are there when it is built; later rows are searched by them, and missed.",
        safe="HNSW, which needs no rows to learn from; or build it after the rows are there.",
        setup=EXTENSION,
        bad="CREATE TABLE docs (id bigint PRIMARY KEY, embedding vector(3));\n"
        "CREATE INDEX docs_embedding ON docs USING ivfflat (embedding vector_cosine_ops);",
        good="CREATE TABLE docs (id bigint PRIMARY KEY, embedding vector(3));\n"
        "CREATE INDEX docs_embedding ON docs USING hnsw (embedding vector_cosine_ops);",
        on=("IndexStmt",),
        find=_empty,
    ),
    Rule(
        id="ivfflat-lists",
        family=FAMILY,
        severity=Severity.WARNING,
        title="An IVFFlat index with too few or too many lists",
        why="A search reads one list or a few of them: all rows of one that is too long, none of the right ones of many short.",
        safe="rows / 1000 lists up to a million rows, above that the square root of their number.",
        setup=ITEMS,
        facts=_FULL,
        bad="CREATE INDEX CONCURRENTLY items_embedding ON items USING ivfflat (embedding vector_cosine_ops) WITH (lists = 20);",
        good="CREATE INDEX CONCURRENTLY items_embedding ON items USING ivfflat (embedding vector_cosine_ops) WITH (lists = 1000);",
        on=("IndexStmt",),
        find=_lists,
    ),
    Rule(
        id="hnsw-memory",
        family=FAMILY,
        severity=Severity.WARNING,
        title="An HNSW graph that does not fit into maintenance_work_mem",
        why="From the row on that no longer fits, the build goes row by row through the buffers.",
        safe="SET maintenance_work_mem for the session before it; in a container, give /dev/shm as much.",
        setup=ITEMS,
        facts=Catalogue(
            180000, maintenance_work_mem=64 << 20, tables=_FULL.tables, extensions={"vector": "0.8.5"}
        ),
        bad="CREATE INDEX CONCURRENTLY items_embedding ON items USING hnsw (embedding vector_cosine_ops);",
        good="CREATE INDEX CONCURRENTLY items_id ON items (id) WHERE embedding IS NULL;",
        on=("IndexStmt",),
        find=_memory,
    ),
    Rule(
        id="vector-index-options",
        family=FAMILY,
        severity=Severity.ERROR,
        title="Options that a vector index does not take",
        why="pgvector refuses them.",
        safe="hnsw: m and ef_construction (at least 2 * m); ivfflat: lists; one column, no UNIQUE, no INCLUDE.",
        setup=ITEMS,
        bad="CREATE INDEX CONCURRENTLY items_embedding ON items USING hnsw (embedding vector_cosine_ops) WITH (lists = 100);",
        good="CREATE INDEX CONCURRENTLY items_embedding ON items USING hnsw (embedding vector_cosine_ops) WITH (m = 16);",
        on=("IndexStmt",),
        find=_options,
    ),
    Rule(
        id="vector-dimension-change",
        family=FAMILY,
        severity=Severity.ERROR,
        title="A vector column gets other dimensions",
        why="It passes on an empty table and fails on the first row that is not null: expected n dimensions, not m (22000).",
        lock="ACCESS EXCLUSIVE on the table, while it is rewritten and its vector indexes are built",
        safe="Add a column with the new dimensions, embed again in batches, build its index CONCURRENTLY, switch, drop the old one later.",
        setup=ITEMS,
        bad="-- pgratchet: ignore change-column-type the table is small\n"
        "ALTER TABLE items ALTER COLUMN embedding TYPE vector(512);",
        good="ALTER TABLE items ADD COLUMN embedding_512 vector(512);",
        on=("AT_AlterColumnType",),
        find=_dimensions,
    ),
    Rule(
        id="vector-btree-index",
        family=FAMILY,
        severity=Severity.WARNING,
        title="A btree on a vector",
        why="CREATE INDEX without USING makes one, and no search for neighbours can use it.",
        safe="USING hnsw (column vector_cosine_ops).",
        setup=ITEMS,
        bad="CREATE INDEX CONCURRENTLY items_embedding ON items (embedding);",
        good="CREATE INDEX CONCURRENTLY items_embedding ON items USING hnsw (embedding vector_cosine_ops);",
        on=("IndexStmt",),
        find=_plain_index,
    ),
    Rule(
        id="vector-extension-old",
        family=FAMILY,
        severity=Severity.ERROR,
        title="An index that needs a newer pgvector",
        why="HNSW came with 0.5, halfvec with 0.7; CREATE EXTENSION IF NOT EXISTS does not bring an old one up to date.",
        safe="Install a newer pgvector on the server, then ALTER EXTENSION vector UPDATE.",
        setup=ITEMS,
        facts=Catalogue(180000, tables=_FULL.tables, extensions={"vector": "0.4.4"}),
        bad="CREATE INDEX CONCURRENTLY items_embedding ON items USING hnsw (embedding vector_cosine_ops);",
        good="CREATE INDEX CONCURRENTLY items_embedding ON items USING ivfflat (embedding vector_cosine_ops) WITH (lists = 1000);",
        on=("IndexStmt",),
        find=_old,
    ),
)
