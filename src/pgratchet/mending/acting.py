"""What acts by itself: triggers, rules, policies and event triggers."""

from __future__ import annotations

from collections.abc import Iterator

from pgratchet import sql
from pgratchet.mending.constraints import FIRES
from pgratchet.mending.records import Said, Sides, differing
from pgratchet.mending.wording import bare, callee, listed, relation
from pgratchet.schema import Item

COVERS = {"definition", "inherited"}
ALTERS = {"definition", "inherited", "fires"}
POLICY_COVERS = {"command", "restrictive", "roles", "using", "with check"}
POLICY_ALTERS = {"roles", "using", "with check"}
EVENT_COVERS = {"event", "tags", "function"}


def make(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a trigger or a rule."""
    yield item.properties["definition"].removesuffix(";")


def drop(item: Item) -> Iterator[str]:
    """Drop a trigger, a rule or a policy."""
    yield f"DROP {item.kind.upper()} {bare(item)} ON {relation(item)}"


def replaces(old: Item, new: Item, sides: Sides) -> bool:
    """Whether it is a constraint trigger, which knows no OR REPLACE."""
    changed = "definition" in differing(old, new)
    return changed and any("CREATE CONSTRAINT" in item.properties["definition"] for item in (old, new))


def alter(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Put another in its place, and say when it fires."""
    changed = differing(old, new)
    if "definition" in changed:
        yield new.properties["definition"].removesuffix(";").replace("CREATE ", "CREATE OR REPLACE ", 1)
    if "fires" in changed or ("definition" in changed and "fires" in new.properties):
        yield f"ALTER TABLE {relation(new)} {FIRES[new.properties.get('fires')]} {new.kind.upper()} {bare(new)}"


def make_policy(item: Item, sides: Sides) -> Iterator[Said]:
    """Make a policy."""
    has = item.properties
    words = [f"CREATE POLICY {bare(item)} ON {relation(item)}"]
    words += ["AS RESTRICTIVE"] if "restrictive" in has else []
    words.append(f"FOR {has['command']}")
    yield " ".join([*words, *_terms(item, set(has))])


def replaces_policy(old: Item, new: Item, sides: Sides) -> bool:
    """Whether a condition goes, which ALTER POLICY cannot take away."""
    return any(name in old.properties and name not in new.properties for name in ("using", "with check"))


def alter_policy(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Change for whom it is, and its conditions."""
    terms = list(_terms(new, differing(old, new)))
    if terms:
        yield " ".join([f"ALTER POLICY {bare(new)} ON {relation(new)}", *terms])


def _terms(item: Item, names: set[str]) -> Iterator[str]:
    has = item.properties
    if "roles" in names:
        yield f"TO {has['roles']}"
    for name in ("using", "with check"):
        if name in names:
            yield f"{name.upper()} ({has[name]})"


def make_event(item: Item, sides: Sides) -> Iterator[Said]:
    """Make an event trigger."""
    has = item.properties
    tags = ", ".join(sql.literal(tag) for tag in listed(has.get("tags")))
    when = f" WHEN TAG IN ({tags})" if tags else ""
    yield f"CREATE EVENT TRIGGER {item.name} ON {has['event']}{when} EXECUTE FUNCTION {callee(has['function'])}()"


def drop_event(item: Item) -> Iterator[str]:
    """Drop an event trigger."""
    yield f"DROP EVENT TRIGGER {item.name}"


def alter_event(old: Item, new: Item, sides: Sides) -> Iterator[Said]:
    """Say when an event trigger fires."""
    if "fires" in differing(old, new):
        yield f"ALTER EVENT TRIGGER {new.name} {FIRES[new.properties.get('fires')]}"
