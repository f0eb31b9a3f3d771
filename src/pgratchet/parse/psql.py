"""What to write in a migration instead of a command that only psql understands."""

from __future__ import annotations

SKIPPED = frozenset({"restrict", "unrestrict"})
"""pg_dump writes these two; they guard psql alone and change nothing."""

_DELETE = "Delete the line: it changes only what psql prints."
_WRITE_VALUE = "Write the value itself; pgratchet replaces nothing in a file."
_INSERT_FILE = "Put the text of that file here, or make it a migration of its own."
_ONE_DATABASE = "Delete the line: a run is for one database, the one that --url names."
_COPY = "Write `COPY … FROM stdin;`, the data in the lines below it, and a line `\\.` at the end."
_IF = "Write the condition in SQL, in a DO block, or make one folder for each case."
_GEXEC = "Write a DO block that runs each text with EXECUTE."
_SEND = "End the statement with a semicolon."
_OTHER = "Delete the line, or write what it does in SQL."

_INSTEAD = {
    "i": _INSERT_FILE,
    "ir": _INSERT_FILE,
    "include": _INSERT_FILE,
    "include_relative": _INSERT_FILE,
    "copy": _COPY,
    "set": _WRITE_VALUE,
    "unset": _WRITE_VALUE,
    "getenv": _WRITE_VALUE,
    "prompt": _WRITE_VALUE,
    "gset": _WRITE_VALUE,
    "bind": _WRITE_VALUE,
    "gexec": _GEXEC,
    "g": _SEND,
    "gx": _SEND,
    "gdesc": _SEND,
    ";": _SEND,
    "c": _ONE_DATABASE,
    "connect": _ONE_DATABASE,
    "if": _IF,
    "elif": _IF,
    "else": _IF,
    "endif": _IF,
    "echo": _DELETE,
    "qecho": _DELETE,
    "warn": _DELETE,
    "timing": _DELETE,
    "pset": _DELETE,
    "x": _DELETE,
    "a": _DELETE,
    "t": _DELETE,
    "o": _DELETE,
    "r": _DELETE,
    "q": "Delete the line, and whatever stands below it if that is not meant to run.",
    "encoding": "Delete the line, and save the file as UTF-8.",
    ".": "It ends the data of a `COPY … FROM stdin;`, and none is open here: delete the line.",
}


def instead(command: str) -> str:
    """Say what to write instead of a command, which is given without its backslash."""
    return _INSTEAD.get(command, _OTHER)
