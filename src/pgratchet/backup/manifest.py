"""What a backup says of itself: the manifest, and the proof that belongs to exactly one manifest."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pgratchet.errors import BackupError

FORMAT = 1
MANIFEST = "manifest.json"
PROOF = "proof.json"
DATA = "data"
GLOBALS = "globals.sql"
SCHEMA = "schema.json"


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the snapshot had it: its rows, and a digest of them that no order changes."""

    schema: str
    name: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Counter:
    """A sequence: its last value, and whether that was given out already."""

    schema: str
    name: str
    value: int
    called: bool
    cycles: bool
    until: int | None = None
    """Its value when the dump was done; None where it stood still: no snapshot holds a sequence."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the backup, by its path in there."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is and holds. Everything of the database is as of one snapshot."""

    name: str
    database: str
    made_at: datetime
    seconds: float
    tool: str
    client: int
    """The major version of pg_dump; an older pg_restore cannot read what it wrote."""
    codec: str
    server: int
    """As `server_version_num` has it."""
    server_version: str
    system: str | None
    """The identifier of the cluster."""
    version: int | None
    """The newest version of the history."""
    script: str | None
    applied_at: datetime | None
    schema: str | None
    """The fingerprint of the catalogue."""
    properties: dict[str, Any]
    """The database's own row of the catalogue, with its settings and privileges."""
    extensions: dict[str, str]
    roles: tuple[str, ...]
    """Those that own something, or may do something."""
    tables: tuple[Table, ...]
    excluded: tuple[str, ...]
    """Tables whose data were left out, as quoted names."""
    large_objects: Table | None
    counters: tuple[Counter, ...]
    run_id: str | None
    """The run that this backup was made before."""
    backup_id: str | None
    """Its row in the database's own table of backups."""
    notes: tuple[str, ...]
    sealed: bool
    """Whether the files, as they are kept, are encrypted; those of this manifest are what they hold."""
    files: tuple[File, ...]

    @property
    def bytes(self) -> int:
        """The size of all files together."""
        return sum(file.bytes for file in self.files)

    @property
    def major(self) -> int:
        """The major version of the server."""
        return self.server // 10_000


@dataclass(frozen=True, slots=True)
class Proof:
    """The result of a verification."""

    manifest: str
    """The checksum of the manifest that it is about."""
    verified_at: datetime
    seconds: float
    restored: bool
    """False: the files were read and checked, and no more."""
    server_version: str | None
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the backup was restored, and nothing was missing or different."""
        return self.restored and not self.problems


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest and see it onto the disk. Its last line is a checksum of all the others."""
    text = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1, default=str, ensure_ascii=False)
    _write(folder / MANIFEST, f"{text}\n{_digest(text)}\n")


def read(folder: Path) -> Manifest:
    """Read a backup's manifest. Raises BackupError where it is missing, damaged or of a newer pgratchet."""
    return parse((folder / MANIFEST), _read(folder / MANIFEST))


def parse(path: Path | str, content: str) -> Manifest:
    """Make the manifest of its text."""
    text, _, checksum = content.rstrip("\n").rpartition("\n")
    if _digest(text) != checksum:
        raise BackupError(f"{path} is damaged: its own checksum is not that of its text", DAMAGED)
    fields = json.loads(text)
    if (found := fields.pop("format")) > FORMAT:
        raise BackupError(f"{path} was written by a newer pgratchet (format {found})", "Update pgratchet.")
    for name in ("roles", "excluded", "notes"):
        fields[name] = tuple(fields[name])
    for name in ("made_at", "applied_at"):
        fields[name] = _time(fields[name])
    objects = fields["large_objects"]
    fields["large_objects"] = None if objects is None else Table(**objects)
    fields["counters"] = tuple(Counter(**item) for item in fields.get("counters", ()))
    fields["tables"] = tuple(Table(**item) for item in fields["tables"])
    fields["files"] = tuple(File(**item) for item in fields["files"])
    return Manifest(**fields)


def write_proof(folder: Path, proof: Proof) -> None:
    """Put the result of a verification beside the manifest, in place of the one before."""
    _write(folder / PROOF, proof_text(proof))


def proof_text(proof: Proof) -> str:
    """A proof as its file has it."""
    return json.dumps(asdict(proof), indent=1, default=str, ensure_ascii=False) + "\n"


def parse_proof(text: str, manifest: str) -> Proof | None:
    """The last verification; None where there was none, or of another manifest than the one with this text."""
    try:
        fields = json.loads(text)
        for name in ("problems", "notes"):
            fields[name] = tuple(fields[name])
        proof = replace(Proof(**fields), verified_at=datetime.fromisoformat(fields["verified_at"]))
    except (ValueError, TypeError, KeyError):
        return None
    return proof if proof.manifest == _digest(manifest) else None


def checksum(folder: Path) -> str:
    """The checksum of the manifest, by which a proof knows it."""
    return _digest(_read(folder / MANIFEST))


def files(folder: Path) -> tuple[File, ...]:
    """Every file of a backup, with its checksum; without the manifest and the proof."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in found]
    names = [name for name in names if name not in {MANIFEST, PROOF}]
    with ThreadPoolExecutor() as hashing:
        sums = hashing.map(lambda name: sha256(folder / name), names)
        return tuple(
            File(name, (folder / name).stat().st_size, digest)
            for name, digest in zip(names, sums, strict=True)
        )


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """See a file, or the entries of a folder, onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def size(number: int) -> str:
    """A number of bytes as people say it."""
    value = float(number)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


DAMAGED = "Take another backup: `pgratchet backups` lists them."


def _write(path: Path, text: str) -> None:
    """Write a file whole: under another name first, then in one step."""
    half = path.with_name(f".{path.name}.partial")
    with half.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    sync(path.parent)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BackupError(f"{path} is not there", DAMAGED) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise BackupError(f"{path} cannot be read: {problem}", DAMAGED) from problem


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
