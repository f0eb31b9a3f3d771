"""A migration taken back, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pgratchet import naming
from pgratchet.report.text import count
from pgratchet.reverting import Reverted, SchemaProof
from pgratchet.reverting.writing import risk_words

NEXT = "Read it; then `pgratchet check`, `pgratchet rehearse` and `pgratchet up`, as with any other file."


def text(value: Reverted) -> str:
    """The file, what was proven of it, what is lost, and what it locks."""
    lines = [
        f"{value.path} takes back {naming.few(value.takes_back)}: {count(value.statements, 'statement')}.",
        f"schema: {value.schema}, on PostgreSQL {value.server}",
        f"data:   {value.data}",
    ]
    if value.schema is SchemaProof.NOT:
        lines += [f"  {line}" for line in value.differences.splitlines()]
    lines += [f"order:  the columns of {name} stand in another order" for name in value.reordered]
    lines += [f"lost:   {entry}" for entry in value.lost]
    lines += [f"goes:   {entry}, with what was written to it since" for entry in value.goes]
    lines += [f"backup: {value.backup} is from before" for _ in [0] if value.backup]
    lines += [f"locks:  {risk_words(risk)}" for risk in value.risks]
    lines += [f"note:   {note}" for note in value.notes]
    return "\n".join([*lines, NEXT])


def as_object(value: Reverted) -> dict[str, Any]:
    """The same for a program."""
    return {**asdict(value), "path": str(value.path)}
