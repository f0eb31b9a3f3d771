"""What a statement changes beyond its own database: never done to a copy, nor a second time on the same server."""

from __future__ import annotations

import re

# How such a statement begins, and what of it may not stand in a block of code. A block names the database by a
# placeholder.
AT_THE_PUBLISHER = r"(?i)create\s+subscription\b"
OF_THE_SERVER = r"role|group|tablespace|user(?!\s+mapping)"
ON_THE_SERVER = rf"(?i)(?:create|alter|drop)\s+(?:{OF_THE_SERVER}|database)\b|alter\s+system\b"
IN_A_BLOCK = rf"(?i)\b(?:alter|drop)\s+(?:{OF_THE_SERVER}|database(?!\s+%))\b|\balter\s+system\b"
MADE_IN_A_BLOCK = rf"(?i)\bcreate\s+(?:{OF_THE_SERVER}|database)\b"


def reach(statement: str, *, same_server: bool, anew: bool = False) -> str | None:
    """What of a statement reaches beyond its database: a publisher, or the server where that is one that others use.

    A block makes a role where it is missing; `anew`: it has not run on that server yet, so the role is not there.
    """
    found = re.match(AT_THE_PUBLISHER, statement)
    if same_server and found is None:
        if not re.match(r"(?i)do\b", statement):
            found = re.match(ON_THE_SERVER, statement)
        else:
            found = re.search(IN_A_BLOCK, statement) or (
                re.search(MADE_IN_A_BLOCK, statement) if anew else None
            )
    return found[0] if found else None


def is_at_the_publisher(found: str) -> bool:
    """Whether it is a publisher that would be reached, from whatever server."""
    return re.match(AT_THE_PUBLISHER, found) is not None
