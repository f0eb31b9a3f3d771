"""The one tree of errors; each has an exit code and, where we know one, what to do next.

PgratchetError                  1
├── ConfigurationError          2   a setting, an option, a name or a file of settings
├── FilesError                  2   the migrations folder itself is wrong
├── ScanError                   2   a text that cannot be cut into statements
├── ParseError                  2   the same, and all else that a file's own text shows to be wrong
├── StatementFailed             1   the server refused a statement
├── RunFailed                   1   the run stopped for another reason
│   └── ConnectionLost          8   the connection broke in the middle; trying again goes on
├── BackupError                 1   a backup cannot be made, is damaged, or cannot be restored
├── FindingsError               4
├── PreflightError              4   a check before the run refuses it
├── HistoryError                5   files and history disagree
├── LockNotAvailable            6   another runner, or the application, holds what we need
├── DriftFound                  7   the schema is not what the migrations make
├── DatabaseUnreachable         8
└── Terminated                143   SIGTERM
    └── Interrupted           130   Ctrl-C
"""

from __future__ import annotations

# What type checkers take for true. Every start of a container would pay 10 ms for `typing`.
TYPE_CHECKING = False
if TYPE_CHECKING:  # a start with nothing to do has no use for the model
    from pathlib import Path

    from pgratchet.model import Check, Migration, Outcome, Problem, Statement


class PgratchetError(Exception):
    """Anything that pgratchet can explain. `hint` says what to do next."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.outcome: Outcome | None = None
        """What the run had done before it failed."""


class ConfigurationError(PgratchetError):
    """A setting, an option or a file of settings is wrong."""

    exit_code = 2


class FilesError(PgratchetError):
    """The migrations folder holds something that cannot be a migration."""

    exit_code = 2

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(problem.message for problem in problems), problems[0].hint)
        self.problems = problems


class ScanError(PgratchetError):
    """A text cannot be cut into statements; `line` and `column` count from 1."""

    exit_code = 2

    def __init__(self, message: str, line: int, column: int, hint: str) -> None:
        super().__init__(message, hint)
        self.line = line
        self.column = column


class ParseError(PgratchetError):
    """The text of a file is wrong, which is known before anything is run."""

    exit_code = 2

    def __init__(
        self, path: Path, *, line: int, column: int, reason: str, hint: str | None, source: str
    ) -> None:
        super().__init__(f"{path}:{line}:{column}: {reason}", hint)
        self.path = path
        self.line = line
        self.column = column
        self.reason = reason
        """The message without the place."""
        self.source = source
        """The line of the file that `line` and `column` point into."""


class StatementFailed(PgratchetError):
    """The server refused a statement of a migration."""

    def __init__(
        self,
        *,
        migration: Migration,
        statement: Statement,
        line: int,
        column: int,
        source: str,
        sqlstate: str | None,
        primary: str,
        detail: str | None = None,
        server_hint: str | None = None,
        context: str | None = None,
        state: str,
        hint: str | None,
    ) -> None:
        super().__init__(f"{migration.path}:{line}:{column}: {primary}", hint)
        self.migration = migration
        self.statement = statement
        self.line = line
        self.column = column
        self.source = source
        """The line of the file that `line` and `column` point into."""
        self.sqlstate = sqlstate
        self.primary = primary
        self.detail = detail
        self.server_hint = server_hint
        self.context = context
        self.state = state
        """What the database holds now, in a sentence."""


class RunFailed(PgratchetError):
    """The run stopped, and not by a statement of a migration."""


class ConnectionLost(RunFailed):
    """The connection broke in the middle of a run; running again goes on where the history stands."""

    exit_code = 8


class BackupError(PgratchetError):
    """A backup cannot be made, is not what it was, or cannot be restored."""


class FindingsError(PgratchetError):
    """Findings at or over the threshold."""

    exit_code = 4


class PreflightError(PgratchetError):
    """The live database is not in a state to run the plan; nothing was run."""

    exit_code = 4

    def __init__(self, checks: tuple[Check, ...]) -> None:
        super().__init__("\n".join(f"{check.name}: {check.reason}" for check in checks), checks[0].hint)
        self.checks = checks
        """Those that refuse."""


class HistoryError(PgratchetError):
    """Files and history disagree."""

    exit_code = 5

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(problem.message for problem in problems), problems[0].hint)
        self.problems = problems


class LockNotAvailable(PgratchetError):
    """Something that we need is held by somebody else; trying again later can help."""

    exit_code = 6


class DriftFound(PgratchetError):
    """The schema is not what the migrations make (`drift`)."""

    exit_code = 7


class DatabaseUnreachable(PgratchetError):
    """No connection in time; trying again later can help."""

    exit_code = 8


class Terminated(PgratchetError):
    """The run was told to stop, and stopped cleanly."""

    exit_code = 143


class Interrupted(Terminated):
    """The run was interrupted by Ctrl-C, and stopped cleanly."""

    exit_code = 130
