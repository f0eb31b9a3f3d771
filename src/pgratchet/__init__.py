"""Forward-only PostgreSQL migrations, proven before they run.

The names below are loaded when they are first used: importing the package costs nothing.
"""

from __future__ import annotations

# What type checkers take for true. Every start of a container would pay 10 ms for `typing`.
TYPE_CHECKING = False
__version__ = "0.1.0"

if TYPE_CHECKING:
    from typing import Any

    from pgratchet.backup.keeping import Backup
    from pgratchet.backup.restoring import Restored
    from pgratchet.baselines import Squashed
    from pgratchet.config import Settings
    from pgratchet.errors import (
        BackupError,
        ConfigurationError,
        DatabaseUnreachable,
        FilesError,
        FindingsError,
        HistoryError,
        LockNotAvailable,
        ParseError,
        PgratchetError,
        PreflightError,
        RunFailed,
        StatementFailed,
        Terminated,
    )
    from pgratchet.findings import Checked, Finding, Severity
    from pgratchet.mending import Mending, Proposal, Unmended, Way
    from pgratchet.model import (
        Check,
        Event,
        Migration,
        Noticed,
        Observer,
        Outcome,
        Overview,
        Patience,
        Preview,
        Progressed,
        StatementEnded,
        StatementStarted,
        StepEnded,
        StepStarted,
        Verdict,
        Waiting,
    )
    from pgratchet.ops import (
        back_up,
        backups,
        baseline,
        check,
        drift,
        mark,
        mend_drift,
        preview,
        prune_backups,
        rehearse,
        restore,
        revert,
        seed,
        squash,
        status,
        up,
        verify_backup,
    )
    from pgratchet.rehearsal import (
        Answer,
        Blocked,
        Copy,
        Latency,
        Lock,
        Proof,
        Reason,
        Rehearsal,
        Run,
        Seen,
        Subject,
        Weighed,
        Workload,
    )
    from pgratchet.reverting import Data, Reverted, Risk, SchemaProof
    from pgratchet.schema import Action, Change, Drift, Item

__all__ = [
    "Action",
    "Answer",
    "Backup",
    "BackupError",
    "Blocked",
    "Change",
    "Check",
    "Checked",
    "ConfigurationError",
    "Copy",
    "Data",
    "DatabaseUnreachable",
    "Drift",
    "Event",
    "FilesError",
    "Finding",
    "FindingsError",
    "HistoryError",
    "Item",
    "Latency",
    "Lock",
    "LockNotAvailable",
    "Mending",
    "Migration",
    "Noticed",
    "Observer",
    "Outcome",
    "Overview",
    "ParseError",
    "Patience",
    "PgratchetError",
    "PreflightError",
    "Preview",
    "Progressed",
    "Proof",
    "Proposal",
    "Reason",
    "Rehearsal",
    "Restored",
    "Reverted",
    "Risk",
    "Run",
    "RunFailed",
    "SchemaProof",
    "Seen",
    "Settings",
    "Severity",
    "Squashed",
    "StatementEnded",
    "StatementFailed",
    "StatementStarted",
    "StepEnded",
    "StepStarted",
    "Subject",
    "Terminated",
    "Unmended",
    "Verdict",
    "Waiting",
    "Way",
    "Weighed",
    "Workload",
    "__version__",
    "back_up",
    "backups",
    "baseline",
    "check",
    "drift",
    "mark",
    "mend_drift",
    "preview",
    "prune_backups",
    "rehearse",
    "restore",
    "revert",
    "seed",
    "squash",
    "status",
    "up",
    "verify_backup",
]

_ELSEWHERE = {
    "backup.keeping": {"Backup"},
    "backup.restoring": {"Restored"},
    "baselines": {"Squashed"},
    "config": {"Settings"},
    "findings": {"Checked", "Finding", "Severity"},
    "mending": {"Mending", "Proposal", "Unmended", "Way"},
    "model": {
        "Check",
        "Event",
        "Migration",
        "Noticed",
        "Observer",
        "Outcome",
        "Overview",
        "Patience",
    }
    | {
        "Preview",
        "Progressed",
        "StatementEnded",
        "StatementStarted",
        "StepEnded",
        "StepStarted",
        "Verdict",
        "Waiting",
    },
    "ops": {"back_up", "backups", "baseline", "check", "drift", "mark", "mend_drift", "preview"}
    | {"prune_backups", "rehearse", "restore", "revert", "seed", "squash", "status", "up", "verify_backup"},
    "rehearsal": {
        "Answer",
        "Blocked",
        "Copy",
        "Latency",
        "Lock",
        "Proof",
        "Reason",
        "Rehearsal",
        "Run",
        "Seen",
        "Subject",
        "Weighed",
        "Workload",
    },
    "reverting": {"Data", "Reverted", "Risk", "SchemaProof"},
    "schema": {"Action", "Change", "Drift", "Item"},
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'pgratchet' has no attribute {name!r}")
    from importlib import import_module

    module = next((module for module, names in _ELSEWHERE.items() if name in names), "errors")
    return getattr(import_module(f"pgratchet.{module}"), name)
