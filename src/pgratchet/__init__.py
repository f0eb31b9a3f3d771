"""Forward-only PostgreSQL migrations, proven before they run.

The names below are loaded when they are first used: importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pgratchet.errors import (
        ConfigurationError,
        DatabaseUnreachable,
        FilesError,
        HistoryError,
        LockNotAvailable,
        ParseError,
        PgratchetError,
        RunFailed,
        StatementFailed,
        Terminated,
    )
    from pgratchet.model import Event, Migration, Outcome, Overview, Preview
    from pgratchet.ops import baseline, mark, preview, seed, status, up

__all__ = [
    "ConfigurationError",
    "DatabaseUnreachable",
    "Event",
    "FilesError",
    "HistoryError",
    "LockNotAvailable",
    "Migration",
    "Outcome",
    "Overview",
    "ParseError",
    "PgratchetError",
    "Preview",
    "RunFailed",
    "StatementFailed",
    "Terminated",
    "__version__",
    "baseline",
    "mark",
    "preview",
    "seed",
    "status",
    "up",
]

_MODEL = {"Event", "Migration", "Outcome", "Overview", "Preview"}
_VERBS = {"baseline", "mark", "preview", "seed", "status", "up"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'pgratchet' has no attribute {name!r}")
    from importlib import import_module

    module = "model" if name in _MODEL else "ops" if name in _VERBS else "errors"
    return getattr(import_module(f"pgratchet.{module}"), name)
