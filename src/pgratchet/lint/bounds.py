"""Whether the checks of a table say that all its rows lie between the bounds of a partition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from pgratchet.lint.tree import Node, columns, constant, walk

_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
Value = tuple[int, Decimal | str]
# As the catalogue has what a file writes as a day.
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d) 00:00:00(?:[+-]\d\d(?::\d\d)?)?")


def implied(terms: Sequence[Node], keys: Sequence[str], bound: Node) -> bool:
    """Whether terms that hold for each row imply a bound, of one key: PostgreSQL proves more, and never less."""
    if len(keys) != 1 or bound.get("strategy") not in {"l", "r"}:
        return False
    compared = [item for term in terms if columns(term) == set(keys) for item in _compared(term)]
    if bound.get("strategy") == "l":
        wanted = {value for item in bound.get("listdatums", ()) if (value := _value(item))}
        return any(operator == "=" and set(values) <= wanted for operator, values in compared)
    lower, upper = (_limit(bound, side) for side in ("lowerdatums", "upperdatums"))
    above = lower is None or any(
        operator in {">", ">=", "="} and min(values) >= lower for operator, values in compared
    )
    below = upper is None or any(
        (operator == "<" and max(values) <= upper) or (operator in {"<=", "="} and max(values) < upper)
        for operator, values in compared
    )
    return above and below


def _limit(bound: Node, side: str) -> Value | None:
    """The value of a bound; None for MINVALUE and MAXVALUE."""
    return _value(bound[side][0])


def _compared(term: Node) -> Iterator[tuple[str, list[Value]]]:
    """The operator and the constants with which a term compares the key."""
    node = term.get("A_Expr")
    if node is None:
        return
    operator = node["name"][-1]["String"]["sval"]
    left, right = node.get("lexpr", {}), node.get("rexpr", {})
    kinds = {"AEXPR_OP", "AEXPR_IN", "AEXPR_OP_ANY"}
    values = [value for item in _constants(right) if (value := _value(item))]
    if node["kind"] in kinds and columns(left) and values:
        yield operator, values
    elif node["kind"] == "AEXPR_OP" and columns(right) and operator in _TURNED:
        yield from ((_TURNED[operator], [value]) for value in [_value(left)] if value)


def _constants(node: Node) -> list[Node]:
    return [{"A_Const": item} for item in walk(node, "A_Const")]


def _value(node: Node) -> Value | None:
    """A constant in an order of its own: numbers by size, dates and texts by their letters."""
    found = next(walk(node, "A_Const"), None)
    text = constant({"A_Const": found}) if found else None
    if text is None:
        return None
    try:
        return 0, Decimal(text)
    except InvalidOperation:
        return 1, _MIDNIGHT.sub(r"\1", text)
