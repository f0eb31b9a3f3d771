"""Folders of migrations for the tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write_migrations(folder: Path, files: Mapping[str, str | bytes]) -> list[Path]:
    """Write each file exactly as given (no change of line ends) and return the paths in the order given."""
    return [_write(folder / name, content) for name, content in files.items()]


def _write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
