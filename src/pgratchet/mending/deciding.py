"""Decides how one schema becomes another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pgratchet.mending.again import again, bereft
from pgratchet.mending.kinds import COMMON, KINDS
from pgratchet.mending.ordering import ordered
from pgratchet.mending.records import Mending, Note, Said, Sides, Unmended, differing, sides
from pgratchet.mending.remarks import LABEL
from pgratchet.mending.renaming import renamed
from pgratchet.mending.rights import default, grant, own
from pgratchet.mending.routines import WITHOUT_BODIES
from pgratchet.mending.sequences import belong
from pgratchet.mending.settings import on_database
from pgratchet.mending.steps import Deed, Step, steps
from pgratchet.mending.tables import NEVER
from pgratchet.mending.wording import of_view
from pgratchet.schema import Action, Change, Item, Snapshot

HOLDING = {"table", "column", "sequence", "materialized view"}
# What may be there in part, without ever being made or dropped.
ALWAYS = {"grants", "database", "schema"}
NO_RENAMES: Mapping[str, str] = {}


def mend(
    have: Snapshot,
    want: Snapshot,
    *,
    renames: Mapping[str, str] = NO_RENAMES,
    role: str | None = None,
    major: int = 18,
    online: bool = False,
) -> Mending:
    """The statements that make the schema `have` into `want`, in an order in which they run.

    `renames`: titles of `have` with those that they have in `want`; without it what was renamed is dropped and made.
    `role`: who runs the statements, quoted where need be; what he makes need not be given to him. `major`: of the
    server. `online`: the forms that do not lock out an application; they run outside of a transaction.
    Whatever both have keeps its data: no table or column of both is dropped, except one whose values are generated.
    """
    have, first = renamed(have, want, renames)
    between = sides(have, want, role=role, major=major, online=online)
    remade = again(between)
    found = [step for step in steps(between, remade, bereft(between, remade)) if step.said]
    said: list[Said] = [*first]
    said += (one for step in ordered(found, between) for one in _on_the_database(step.item, step.said))
    said += _rights(between, remade)
    said += _fixed(between, remade)
    return _mending(said, found, remade)


def _mending(said: Sequence[Said], found: Sequence[Step], remade: set[str]) -> Mending:
    statements = [one for one in said if isinstance(one, str)]
    if any("LANGUAGE sql" in one for one in statements if one.startswith("CREATE OR REPLACE ")):
        statements.insert(0, WITHOUT_BODIES)
    dropped = (step.item for step in found if step.deed is Deed.DROP and step.said)
    return Mending(
        tuple(statements),
        tuple(one for one in said if isinstance(one, Unmended)),
        tuple(sorted(item.title for item in dropped if item.kind in HOLDING and item.title not in remade)),
        tuple(one.text for one in said if isinstance(one, Note)),
    )


def _rights(sides: Sides, remade: set[str]) -> Iterator[Said]:
    """Owners and grants come last, and what new objects are born with after all of them."""
    pairs = [(_old(title, sides, remade), new) for title, new in sides.want.items()]
    pairs += [
        (old, Item(old.kind, old.name, old.schema, old.parent, {}))
        for title, old in sides.have.items()
        if old.kind in ALWAYS - {"schema"} and title not in sides.want
    ]
    plain = [(old, new) for old, new in pairs if new.kind != "default privileges"]
    for old, new in plain:
        if old is None or "owner" in differing(old, new):
            yield from own(old, new, sides)
    for old, new in plain:
        if new.kind == "sequence":
            yield from belong(old, new)
    for old, new in plain:
        if old is None or differing(old, new) & {"owner", "grants"}:
            yield from _on_the_database(new, grant(old, new, sides))
    for title in sorted(sides.have.keys() | sides.want.keys()):
        before, after = sides.have.get(title), sides.want.get(title)
        if title.startswith("default privileges ") and before != after:
            yield from default(before, after, sides)


def _old(title: str, sides: Sides, remade: set[str]) -> Item | None:
    if title in sides.have:
        return None if title in remade else sides.have[title]
    new = sides.want[title]
    return Item(new.kind, new.name, new.schema, new.parent, {}) if new.kind in ALWAYS - {"schema"} else None


def _on_the_database(item: Item, said: Iterable[Said]) -> Iterator[Said]:
    """Let statements on the database itself find its name."""
    for one in said:
        mine = item.kind == "database" and isinstance(one, str)
        yield (
            on_database(str(one).replace("%", "%%").replace("DATABASE itself", "DATABASE %I", 1))
            if mine
            else one
        )


def _fixed(sides: Sides, remade: set[str]) -> Iterator[Unmended]:
    """What differs in a way that no statement changes."""
    for title, old in sides.have.items():
        new = sides.want.get(title)
        if new is None or title in remade:
            continue
        kind = KINDS[old.kind]
        for name in sorted(differing(old, new) - {*kind.alters, *COMMON, "column order"}):
            if not name.startswith(LABEL) and not of_view(new):
                change = Change(Action.CHANGED, new, name, old.properties.get(name), new.properties.get(name))
                yield Unmended(
                    change, NEVER.get(name, f"a {old.kind} keeps what it was made with: its {name}")
                )
