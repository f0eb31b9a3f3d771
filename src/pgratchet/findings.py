"""What `check` finds, one by one and as a whole, and what of it fails."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    """How bad a finding is, from the least."""

    NOTE = "note"
    UNSURE = "unsure"
    """A question: the statement may do it or not, by what no file says and a look at the database would tell."""
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem at one place of a file. `line` and `column` count from 1."""

    rule: str
    severity: Severity
    path: Path
    line: int
    column: int
    message: str
    hint: str
    """The safe form, or what to do."""
    source: str = ""
    """The line of the file, for the caret to stand under."""
    certain: bool = True
    """False where only a look at the database could tell."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What `check` found, in the order of files and places."""

    findings: tuple[Finding, ...]
    files: tuple[Path, ...]
    """Those that it looked at."""
    severity: Severity
    """From this on a finding fails it."""
    root: Path
    """The folder from which reports for other programs count paths: the repository's, where there is one."""
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether a finding is as bad as that."""
        return any(self.fails(finding) for finding in self.findings)

    def fails(self, finding: Finding) -> bool:
        """Whether this one is."""
        order = tuple(Severity)
        return order.index(finding.severity) >= order.index(self.severity)
