"""What came of taking a migration back: frozen records."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class SchemaProof(StrEnum):
    """Whether the schema without the migration comes back."""

    PROVEN = "proven"
    ORDER = "proven but for the order of columns"
    NOT = "not proven"


class Data(StrEnum):
    """Whether the rows are what they are without the migration."""

    KEPT = "kept"
    LOST = "lost"
    UNTRIED = "not tried"
    """No row could be made up for a table that the migration changes."""


@dataclass(frozen=True, slots=True)
class Risk:
    """What a statement of the new file does to those who use a table: seen on the scratch database."""

    table: str
    lock: str
    """The strongest lock, in the server's words."""
    rewritten: bool
    scanned: bool
    """The server said that it read the whole table."""
    sql: str
    """The beginning of the statement."""


@dataclass(frozen=True, slots=True)
class Reverted:
    """The file that takes a migration back, and what is known of it."""

    path: Path
    takes_back: tuple[str, ...]
    """The scripts, in the order in which they were applied."""
    schema: SchemaProof
    differences: str
    """Between the schema that was wanted and the one that came, in words; empty where it is proven."""
    reordered: tuple[str, ...]
    """Tables whose columns stand in another order."""
    data: Data
    lost: tuple[str, ...]
    """What was there before the migration, and does not come back, each in a sentence."""
    goes: tuple[str, ...]
    """Tables and columns that the file drops, with what was written to them since."""
    notes: tuple[str, ...]
    backup: str | None
    """The newest verified backup from before the migration."""
    risks: tuple[Risk, ...]
    statements: int
    online: bool
    server: int
    """The major version of PostgreSQL that it was tried on."""
