"""Checks of the tables of the plan: leftovers, locks, room on the disk."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet import sql
from pgratchet.model import Check, Verdict
from pgratchet.preflight.facts import Facts
from pgratchet.preflight.needs import REWRITE
from pgratchet.preflight.saying import named, or_pass, size
from pgratchet.preflight.seen import Index


def indexes(facts: Facts) -> Iterator[Check]:
    """INVALID indexes cost every write and serve no read; those that the plan builds anew are no matter."""
    planned = {table.oid: table.table for table in facts.seen.tables}
    left = [
        item
        for item in facts.seen.indexes
        if not item.building and not _renewed(item.schema, item.name, facts)
    ]
    left.sort(key=lambda item: item.table_oid not in planned)
    checks = (_index(item, on_plan=item.table_oid in planned) for item in left)
    return or_pass("indexes", checks, "no INVALID index is left behind, save what the plan builds anew")


def _renewed(schema: str, name: str, facts: Facts) -> bool:
    return bool({sql.quote(name), sql.qualified(schema, name)} & facts.needs.renewed)


def _index(item: Index, *, on_plan: bool) -> Check:
    name = sql.qualified(item.schema, item.name)
    place = ", a table of the plan" if on_plan else ""
    reason = (
        f"the index {name} on {item.table}{place} is INVALID: every write pays for it, and no read uses it"
    )
    leftover = item.name.rstrip("0123456789").endswith(("_ccnew", "_ccold"))
    again = "" if leftover else f" or REINDEX INDEX CONCURRENTLY {name};"
    return Check("indexes", Verdict.WARN, reason, f"DROP INDEX CONCURRENTLY {name};{again}")


def partitions(facts: Facts) -> Iterator[Check]:
    """A DETACH CONCURRENTLY that was cut short stands in the way of others of its table."""
    left = [item for item in facts.seen.detached if not _renewed(item.schema, item.name, facts)]
    checks = (_partition(sql.qualified(item.schema, item.name), item.parent) for item in left)
    return or_pass("partitions", checks, "none is half detached")


def _partition(name: str, parent: str) -> Check:
    hint = f"ALTER TABLE {parent} DETACH PARTITION {name} FINALIZE;"
    return Check("partitions", Verdict.WARN, f"the partition {name} of {parent} is half detached", hint)


def lock_space(facts: Facts) -> Iterator[Check]:
    """Each relation takes a place in the server's table of locks until the step's commit."""
    sizes = {table.table: table.relations for table in facts.seen.tables}
    wanted: dict[str, int] = {}
    for script, table in sorted({(lock.script, lock.table) for lock in facts.needs.locks}):
        wanted[script] = wanted.get(script, 0) + sizes.get(table, 0)
    room = facts.seen.server.locks
    hint = "Give max_locks_per_transaction a higher value and restart the server, or split the file."
    checks = (
        Check(
            "lock-space",
            Verdict.WARN,
            f"{script} may lock {number:,} relations, and the server has room for {room:,} locks of all sessions",
            hint,
            script,
        )
        for script, number in wanted.items()
        if number > room / 2
    )
    most = max(wanted.values(), default=0)
    return or_pass("lock-space", checks, f"at most {most:,} relations in one step, of {room:,} locks")


def disk(facts: Facts) -> Iterator[Check]:
    """A rewrite needs about twice the table with its indexes, for files and WAL; an index the table's size."""
    need, elsewhere = _need(facts)
    if not facts.needs.bulk or not (need or elsewhere):
        yield Check("disk", Verdict.PASS, "no step rewrites a table or builds an index that holds rows")
        return
    scripts = named(sorted({item.script for item in facts.needs.bulk}))
    what = f"{scripts} may need about {size(need)} in the data directory"
    if elsewhere:
        what += f" and {size(elsewhere)} in other tablespaces, whose room is not looked at"
    if facts.seen.free is None:
        reason = f"{what}; how much is free is not known: it can be read on the server's own host alone"
        yield Check("disk", Verdict.PASS, reason)
    elif need > facts.seen.free:
        hint = "Make room first: PostgreSQL stops when the disk is full."
        yield Check("disk", Verdict.WARN, f"{what}, and {size(facts.seen.free)} is free", hint)
    else:
        yield Check("disk", Verdict.PASS, f"{what}, and {size(facts.seen.free)} is free")


def _need(facts: Facts) -> tuple[int, int]:
    """Bytes in the data directory, and in tablespaces elsewhere; from above, as if nothing were freed between."""
    here = elsewhere = 0
    for bulk in facts.needs.bulk:
        for found in facts.seen.sizes:
            if found.table == bulk.table:
                needed = 2 * found.total if bulk.what == REWRITE else found.heap
                here, elsewhere = (here, elsewhere + needed) if found.place else (here + needed, elsewhere)
    return here, elsewhere
