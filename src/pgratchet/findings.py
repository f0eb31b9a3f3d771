"""What `check` found as a whole, and what of it fails."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pgratchet.model import Finding, Severity


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
