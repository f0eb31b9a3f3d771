"""All that a check decides on."""

from __future__ import annotations

from typing import NamedTuple

from pgratchet.history import Names
from pgratchet.preflight.needs import Needs
from pgratchet.preflight.seen import Seen


class Limits(NamedTuple):
    """From where on the checks warn or refuse; seconds and bytes."""

    budget: float = 600.0
    """How long a run tries for a lock: who has held one against us for longer will not end in time."""
    long: float = 60.0
    """From this age on a transaction is long."""
    idle: float = 10.0
    """From here on a session that sits in a transaction is idle, and not between two statements."""
    lag_bytes: int = 16 << 20
    lag_seconds: float = 30.0
    retained: int = 1 << 30
    """What a slot that nobody reads may keep from being removed."""


LIMITS = Limits()


class Facts(NamedTuple):
    """What was seen, what the plan needs, and the settings."""

    seen: Seen
    needs: Needs
    names: Names
    environment: str = ""
    """The setting of this name; empty where it is not given."""
    limits: Limits = LIMITS
