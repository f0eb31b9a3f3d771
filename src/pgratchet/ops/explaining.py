"""The verb that says what a rule is about."""

from __future__ import annotations

from difflib import get_close_matches

from pgratchet import folder_rules, lint, squawk
from pgratchet.errors import ConfigurationError


def rules() -> tuple[lint.Rule, ...]:
    """Every rule of ours, in the order of their ids."""
    return tuple(sorted((*lint.RULES, *folder_rules.RULES), key=lambda rule: rule.id))


def explain(name: str) -> lint.Rule:
    """A rule by its id. Raises ConfigurationError that offers the nearest ones."""
    known = {rule.id: rule for rule in rules()}
    if name in known:
        return known[name]
    if name.startswith(squawk.PREFIX):
        own = name.removeprefix(squawk.PREFIX)
        raise ConfigurationError(
            f"{name} is not ours, it is squawk's {own}", "squawk's documentation has a page of it."
        )
    near = get_close_matches(name, known, 3, 0.5)
    offer = f"Did you mean {' or '.join(near)}? " if near else ""
    raise ConfigurationError(f"there is no rule {name}", f"{offer}`pgratchet explain` lists all.")


def check_names(names: tuple[str, ...], place: str) -> None:
    """Refuse a name that no rule has: a misspelt one would take nothing back, and nobody would notice."""
    for name in names:
        if not name.startswith(squawk.PREFIX):
            try:
                explain(name)
            except ConfigurationError as error:
                raise ConfigurationError(f"{place}: {error.message}", error.hint) from error
