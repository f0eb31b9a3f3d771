"""Comments, security labels, and on which extensions something depends."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet import sql
from pgratchet.mending.records import Said, differing
from pgratchet.mending.wording import address, listed
from pgratchet.schema import Item

LABEL = "security label of "
DEPENDS = "depends on extension"


def remark(old: Item, new: Item) -> Iterator[Said]:
    """Say of the item what the other says."""
    for name in sorted(differing(old, new)):
        value = new.properties.get(name)
        if name == "comment":
            yield f"COMMENT ON {address(new)} IS {_literal(value)}"
        elif name.startswith(LABEL):
            yield f"SECURITY LABEL FOR {sql.quote(name.removeprefix(LABEL))} ON {address(new)} IS {_literal(value)}"
        elif name == DEPENDS:
            was, now = listed(old.properties.get(name)), listed(value)
            yield from (
                f"ALTER {address(new)} NO DEPENDS ON EXTENSION {one}" for one in was if one not in now
            )
            yield from (f"ALTER {address(new)} DEPENDS ON EXTENSION {one}" for one in now if one not in was)


def _literal(value: str | None) -> str:
    return "NULL" if value is None else sql.literal(value).strip()
