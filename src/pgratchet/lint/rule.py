"""A rule of `check`: what it is about, in words and in examples, and the function that finds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgratchet.findings import Severity
from pgratchet.lint.act import Act, Find, Hit
from pgratchet.lint.catalogue import Catalogue


def nothing(_: Act) -> Iterator[Hit]:
    """Find nothing: for what is found in another way than statement by statement."""
    return iter(())


@dataclass(frozen=True, slots=True)
class Rule:
    """`bad` and `good` run on a database that has `setup`; all three are SQL."""

    id: str
    family: str
    severity: Severity
    title: str
    why: str
    safe: str
    """The safe form, as SQL or as a sentence."""
    bad: str
    good: str
    on: tuple[str, ...]
    """The acts that it looks at, by name. "first" and "last" come once a file, "text" once a statement; the module
    `reading` has the others that are no node of the tree."""
    find: Find = nothing
    setup: str = ""
    lock: str = ""
    """Which lock, on what, for how long; empty where it is not about one."""
    facts: Catalogue | None = None
    """What the database must say for the examples, of a rule that only a catalogue decides."""
    wanted: bool = True
    """False for what is looked at only where the settings ask for it."""
    target: str = ""
    """The database that it is for, as citus; empty for every PostgreSQL."""
