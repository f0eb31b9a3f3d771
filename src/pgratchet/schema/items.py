"""What a schema is made of: one record for every kind of object, and the fingerprint of them all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

ENCODER = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a database, as far as it is not as such an object is by itself.

    A property that has its default is left out: a column that may be null has no `not null`.
    """

    kind: str
    name: str
    """As SQL writes it, with its schema. What belongs to a table begins with the table's name."""
    schema: str | None
    """Quoted where need be; None for what lies in no schema."""
    parent: str | None
    """The title of the item that it goes and comes with: a column's table."""
    properties: Mapping[str, str]

    @property
    def title(self) -> str:
        """Kind and name, by which one item of a schema is told from every other: `table public.accounts`."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The schema of a database at one moment: every item, in the order of their titles.

    No OID, no order of creation and no physical position is in it; of a table's columns the order is.
    """

    items: tuple[Item, ...]

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all items, in hexadecimal: the same for schemas without a difference, and for no others."""
        digest = sha256()
        for item in self.items:
            line = ENCODER.encode([item.kind, item.name, sorted(item.properties.items())])
            digest.update(f"{line}\n".encode())
        return digest.hexdigest()
