"""Checks of what our role may do: the history, the tables of the plan, extensions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgratchet import sql
from pgratchet.history import Names
from pgratchet.model import Check, Verdict
from pgratchet.preflight.facts import Facts
from pgratchet.preflight.needs import DROP, FEATURES, OWNER, Extension, Needs, Right
from pgratchet.preflight.saying import named, or_pass
from pgratchet.preflight.seen import Available, Server, Table

WANTED = (0, 8)
"""Of pgvector: since then an index scan goes on until it has found enough rows."""


def history(facts: Facts) -> Iterator[Check]:
    """May we make the history's tables, or where they are there, write to them?"""
    server, names = facts.seen.server, facts.names
    lacks = tuple(_lacking(server, names))
    if not lacks or not facts.needs.steps:
        yield Check("history", Verdict.PASS, f"{server.role} may do what is pending in schema {names.schema}")
        return
    reason = f"{server.role} may not keep the history: it lacks {named(lacks)}"
    grants = " ".join(f"GRANT {lack} TO {sql.quote(server.role)};" for lack in lacks)
    yield Check("history", Verdict.REFUSE, reason, f"Its owner or a superuser has to run: {grants}")


def _lacking(server: Server, names: Names) -> Iterator[str]:
    if server.has_history:
        yield from server.missing_rights
        return
    # CREATE SCHEMA IF NOT EXISTS asks for the right also where the schema is there.
    if names.schema != "public" and not server.creates_in_database:
        yield f"CREATE ON DATABASE {sql.quote(server.database)}"
    if server.creates_in_schema is False:
        yield f"CREATE ON SCHEMA {sql.quote(names.schema)}"


def privileges(facts: Facts) -> Iterator[Check]:
    """A table is altered, indexed and dropped by its owner, or a member of that role."""
    tables = {table.table: table for table in facts.seen.tables}
    wanted = [
        right
        for right in facts.needs.rights
        if right.table in tables and right.script not in facts.needs.roles
    ]
    checks = [
        _refusal(right, tables[right.table], facts.seen.server)
        for right in wanted
        if not _has(tables[right.table], right.right)
    ]
    if facts.needs.roles and not checks:
        reason = (
            f"{named(sorted(facts.needs.roles))} takes another role; what that one may do is not looked at"
        )
        return iter([Check("privileges", Verdict.PASS, reason)])
    return or_pass(
        "privileges", checks, f"{facts.seen.server.role} has what it needs on the tables of the plan"
    )


def _has(table: Table, right: str) -> bool:
    return table.owns or (right == DROP and table.owns_schema) or right in table.rights


def _refusal(right: Right, table: Table, server: Server) -> Check:
    if right.right in {OWNER, DROP}:
        reason = f"{right.script} changes {right.table}, which {table.owner} owns, and {server.role} is no member of it"
        grant = f"GRANT {sql.quote(table.owner)} TO {sql.quote(server.role)};"
        hint = f"Run as {table.owner}, or a superuser has to run: {grant}"
    else:
        reason = f"{right.script} needs {right.right} on {right.table} of {table.owner}, and {server.role} has it not"
        hint = f"{table.owner} has to run: GRANT {right.right} ON {right.table} TO {sql.quote(server.role)};"
    return Check("privileges", Verdict.REFUSE, reason, hint, right.script)


def extensions(facts: Facts) -> Iterator[Check]:
    """Is each extension there to be made, new enough, and may we make it?"""
    versions: dict[str, list[Available]] = {}
    for row in facts.seen.extensions:
        versions.setdefault(row.name, []).append(row)
    checks = [
        check
        for item in facts.needs.extensions
        if (check := _extension(item, versions[item.name], facts.seen.server))
    ]
    # What the extension's own check refuses is not told twice.
    if "vector" in versions and not any(check.verdict is Verdict.REFUSE for check in checks):
        checks += _features(versions["vector"], facts.needs)
    plain = f"{named(sorted(versions))}: there or to be had" if versions else "the plan makes none"
    return or_pass("extensions", checks, plain)


def _extension(item: Extension, versions: list[Available], server: Server) -> Check | None:
    if item.update:
        return None
    reason, hint = _unavailable(item, versions, server)
    if reason is None:
        return None
    # A block of code may have a condition for just this case.
    doubt = item.guarded or ("superuser" in reason and server.provider)
    return Check("extensions", Verdict.WARN if doubt else Verdict.REFUSE, reason, hint, item.script)


def _unavailable(item: Extension, versions: list[Available], server: Server) -> tuple[str | None, str]:
    first = versions[0]
    if first.installed is not None:
        if item.if_not_exists or item.guarded:
            return None, ""
        reason = (
            f"{item.script} creates the extension {item.name}, which is there already ({first.installed})"
        )
        return reason, "Write CREATE EXTENSION IF NOT EXISTS."
    if first.default is None:
        reason = f"{item.script} needs the extension {item.name}, which this server does not have"
        return reason, _package(item.name)
    wanted = item.version or first.default
    row = next((row for row in versions if row.version == wanted), None)
    if row is None:
        there = named(sorted(row.version for row in versions if row.version))
        reason = f"{item.script} needs {item.name} {wanted}; this server has {there}"
        return reason, f"Install that version on the server, or change the file. {_package(item.name)}"
    return _forbidden(item, row, server)


def _forbidden(item: Extension, row: Available, server: Server) -> tuple[str | None, str]:
    version = f" VERSION {sql.literal(item.version)}" if item.version else ""
    create = f"CREATE EXTENSION IF NOT EXISTS {sql.quote(item.name)}{version};"
    if server.superuser or not row.superuser:
        return None, ""
    if not row.trusted:
        reason = f"{item.script} creates the extension {item.name}, which takes a superuser, and {server.role} is none"
        return reason, f"A superuser has to run, once, in database {sql.quote(server.database)}: {create}"
    if server.creates_in_database:
        return None, ""
    lacks = f"{server.role} lacks CREATE on database {server.database}"
    reason = f"{item.script} creates the extension {item.name}, and {lacks}"
    grant = f"GRANT CREATE ON DATABASE {sql.quote(server.database)} TO {sql.quote(server.role)};"
    return reason, f"The database's owner has to run: {grant} or: {create}"


def _features(versions: list[Available], needs: Needs) -> Iterator[Check]:
    first = versions[0]
    if first.default is None and first.installed is None:
        if needs.features:
            feature, script = needs.features[0]
            reason = f"{script} uses {feature} of pgvector, which this server does not have"
            yield Check("extensions", Verdict.REFUSE, reason, _package("vector"), script)
        return
    made = next((item for item in needs.extensions if item.name == "vector" and not item.update), None)
    updated = any(item.name == "vector" and item.update for item in needs.extensions)
    later = first.default if updated else first.installed
    text = later or (made.version if made else None) or first.default or ""
    version = _numbers(text)
    yield from _too_old(text, version, needs)


def _too_old(text: str, version: tuple[int, ...], needs: Needs) -> Iterator[Check]:
    hint = "Install a newer pgvector on the server, then, as the extension's owner: ALTER EXTENSION vector UPDATE;"
    missing = [(feature, script) for feature, script in needs.features if version < FEATURES[feature]]
    for feature, script in missing:
        since = ".".join(map(str, FEATURES[feature]))
        reason = f"{script} uses {feature}, which pgvector has since {since}; this database has, or would get, {text}"
        yield Check("extensions", Verdict.REFUSE, reason, hint, script)
    if not missing and version < WANTED:
        reason = f"pgvector {text}: a filtered search by an index can find too few rows before 0.8"
        yield Check("extensions", Verdict.WARN, reason, hint)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _package(name: str) -> str:
    package = "pgvector" if name == "vector" else name
    return (
        f"Install its package on the server (Debian: postgresql-<major>-{package}; Docker: an image that has it), "
        "or allow it in the provider's settings."
    )
