"""To which tables the rules about Citus apply, and what they have in common.

Without the target `citus` a rule speaks of tables alone that the files distribute, and as a warning. With it every
table counts as one that is or will be distributed by `tenant_id`, and what it says is an error.
"""

from __future__ import annotations

from pgratchet.findings import Severity
from pgratchet.lint.act import Act
from pgratchet.lint.rule import Rule
from pgratchet.lint.tree import (
    Name,
    Node,
)

FAMILY = "citus"
TARGET = "citus"
KEY = "tenant_id"
TENANTS = "CREATE TABLE tenants (tenant_id uuid PRIMARY KEY);\n"
USERS = TENANTS + (
    "CREATE TABLE users (tenant_id uuid, user_id uuid, email text, age integer, PRIMARY KEY (tenant_id, user_id));"
)
KEYS = {"CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION"}
NAMED = {*KEYS, "CONSTR_FOREIGN", "CONSTR_CHECK"}


def applies(act: Act, table: Name) -> bool:
    """Whether Citus's rules hold for a table."""
    return act.known.target == TARGET or act.known.resolve(table) in act.known.distributed


def key_of(act: Act, table: Name) -> str:
    """The distribution column: as the files say, or as the target has it."""
    return act.known.distributed.get(act.known.resolve(table), KEY)


def keyed(act: Act, table: Name, own: Node | None = None) -> bool:
    """Whether a table is one that is distributed by its key, as far as its columns tell."""
    found = act.known.table(table)
    names = {column.name for column in found.columns} if found else set()
    names |= {
        item["ColumnDef"]["colname"] for item in (own or {}).get("tableElts", ()) if "ColumnDef" in item
    }
    return applies(act, table) and key_of(act, table) in names


def rule(identifier: str, title: str, why: str, safe: str, **rest: object) -> Rule:
    """A rule about Citus."""
    return Rule(
        identifier,
        FAMILY,
        Severity.WARNING,
        title,
        why,
        safe,
        target=TARGET,
        **({"setup": USERS} | rest),  # type: ignore[arg-type]
    )
