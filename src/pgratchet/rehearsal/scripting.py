"""Runs a script of pgbench's where there is no pgbench: SQL, `\\set` and `\\sleep`, by clients of our own."""

from __future__ import annotations

import ast
import io
import operator
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

import psycopg

from pgratchet import __version__, db
from pgratchet.errors import ConfigurationError, ScanError
from pgratchet.model import ignore
from pgratchet.parse import scan
from pgratchet.rehearsal.beside import beside

AFTER_A_FAILURE = 0.1
"""Seconds until a client tries again: what always fails is not to keep the server busy."""
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
ARITHMETIC: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda one, other: int(one / other),
    ast.Mod: operator.mod,
}
VARIABLE = r"(?<!:):([A-Za-z_]\w*)"


class Command(NamedTuple):
    """One line or statement of a script."""

    kind: str
    """sql, set or sleep."""
    text: str
    """The statement, or the value of a variable, or a time."""
    name: str = ""


class Transaction(NamedTuple):
    """One run of a script, in seconds of the monotonic clock."""

    start: float
    end: float
    error: str | None = None


def read(path: Path) -> tuple[Command, ...]:
    """The commands of a script. Raises ConfigurationError for what is pgbench's alone."""
    found: list[Command] = []
    sql: list[str] = []
    for number, line in enumerate([*path.read_text(encoding="utf-8-sig").splitlines(), "\\"], 1):
        if not line.lstrip().startswith("\\"):
            sql.append(line)
            continue
        found += _statements(path, number - len(sql), "\n".join(sql))
        sql = []
        if line.strip() != "\\":
            found.append(_command(path, number, line.strip(), found))
    return tuple(found)


def _statements(path: Path, first: int, text: str) -> Iterator[Command]:
    try:
        for raw in scan.statements(io.BytesIO(text.encode())):
            yield Command("sql", raw.text)
    except ScanError as error:
        raise _refusal(path, first + error.line - 1, error.message) from error


def _command(path: Path, number: int, line: str, before: list[Command]) -> Command:
    if found := re.fullmatch(r"\\set\s+(\w+)\s+(.+)", line):
        known = {"client_id", "scale", *(command.name for command in before)}
        try:
            value(found[2], dict.fromkeys(known, 1), _random())
        except (SyntaxError, ValueError) as error:
            raise _refusal(path, number, f"{found[2]}: only pgbench knows what this is") from error
        except ZeroDivisionError:
            pass  # of a value that it will not have
        return Command("set", found[2], found[1])
    if found := re.fullmatch(r"\\sleep\s+(:?\w+)(?:\s+(us|ms|s))?", line):
        return Command("sleep", found[1].removeprefix(":"), found[2] or "s")
    raise _refusal(path, number, f"{line.split(maxsplit=1)[0]}: only pgbench knows this command")


def _refusal(path: Path, number: int, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path}:{number}: {reason}",
        "Install pgbench (Debian: apt-get install postgresql-contrib), or write it with SQL, \\set and random(a, b).",
    )


def _random() -> Random:
    return Random()  # noqa: S311 - which row a client takes is no secret


def value(text: str, variables: Mapping[str, int], random: Random) -> int:
    """What an expression of `\\set` is: whole numbers, variables, + - * / %, random(a, b)."""

    def of(node: ast.expr) -> int:
        match node:
            case ast.Constant(value=int(number)):
                return number
            case ast.Name(id=name) if name in variables:
                return variables[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -of(operand)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in ARITHMETIC:
                return ARITHMETIC[type(sign)](of(left), of(right))
            case ast.Call(func=ast.Name(id="random"), args=[low, high], keywords=[]):
                first = of(low)
                return random.randint(first, max(first, of(high)))
        raise ValueError(text)

    return of(ast.parse(re.sub(VARIABLE, r"\1", text), mode="eval").body)


@contextmanager
def clients(url: str, script: tuple[Command, ...], number: int, done: list[Transaction]) -> Iterator[None]:
    """Let that many clients run a script again and again, each in a thread; `done` has what is over."""
    stop = threading.Event()
    name = f"pgratchet {__version__} workload"
    with ExitStack() as opened:
        connections = [
            opened.enter_context(db.opened(url, name=name, wait=0, observer=ignore)) for _ in range(number)
        ]
        work = [
            (one, partial(_again, one, script, client, stop, done)) for client, one in enumerate(connections)
        ]
        with beside(work, stop, name):
            yield


def _again(
    connection: db.Connection,
    script: tuple[Command, ...],
    client: int,
    stop: threading.Event,
    done: list[Transaction],
) -> None:
    random = _random()
    while not stop.is_set() and not connection.closed:
        began = time.monotonic()
        error = _once(connection, script, {"client_id": client, "scale": 1}, random)
        if not stop.is_set():  # else we may have cut it
            done.append(Transaction(began, time.monotonic(), error))
        if error:
            stop.wait(AFTER_A_FAILURE)


def _once(
    connection: db.Connection, script: tuple[Command, ...], variables: dict[str, int], random: Random
) -> str | None:
    """Run a script once; the server's words where it refuses a statement, and what was open is rolled back."""
    try:
        for command in script:
            if command.kind == "set":
                variables[command.name] = value(command.text, variables, random)
            elif command.kind == "sleep":
                time.sleep(int(variables.get(command.text, command.text)) * UNITS[command.name])
            else:
                connection.execute(_filled(command.text, variables).encode())
    except psycopg.Error as error:
        with suppress(psycopg.Error):
            connection.rollback()
        return error.diag.message_primary or str(error).strip() or "the connection is lost"
    except (ArithmeticError, ValueError) as error:
        return str(error)
    return None


def _filled(text: str, variables: Mapping[str, int]) -> str:
    """A statement with the values of its variables; what is none stays as it is."""
    return re.sub(VARIABLE, lambda found: str(variables.get(found[1], found[0])), text)
