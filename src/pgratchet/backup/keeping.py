"""Which backups are there, how each stands, and which of them nobody needs any more."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pgratchet.backup import folder as folders
from pgratchet.backup import manifest
from pgratchet.backup.manifest import MANIFEST, PROOF, Manifest, Proof
from pgratchet.backup.sealing import sealed_size
from pgratchet.errors import BackupError


class Standing(StrEnum):
    """How far a backup can be relied on."""

    VERIFIED = "verified"
    """It was restored, and everything came back."""
    UNVERIFIED = "unverified"
    FAILED = "failed"
    """Its last verification found something."""
    DAMAGED = "damaged"
    """Something of it is missing, or has not its length any more."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup as the list shows it."""

    name: str
    place: str
    """Its folder, or its URL in an object store."""
    standing: Standing
    manifest: Manifest | None
    """None where it cannot be read."""
    proof: Proof | None
    problem: str | None = None

    @property
    def usable(self) -> bool:
        """Whether it was restored, and every row came back."""
        return self.standing is Standing.VERIFIED


@dataclass(frozen=True, slots=True)
class Keep:
    """How many to keep: the newest ones, and the newest of each of the last days, weeks and months."""

    last: int = 7
    daily: int = 7
    weekly: int = 4
    monthly: int = 12


def listed(place: Path) -> tuple[Backup, ...]:
    """All backups of a folder, newest first. Files are looked for and not read: that is what verifying does."""
    if not place.is_dir():
        return ()
    folders = (path for path in place.iterdir() if path.is_dir() and not path.name.startswith("."))
    return newest_first(look(path) for path in folders)


def newest_first(backups: Iterable[Backup]) -> tuple[Backup, ...]:
    """The order in which people want to see them."""
    return tuple(sorted(backups, key=_age, reverse=True))


def look(path: Path) -> Backup:
    """How one backup of a folder stands."""
    sizes = {
        item.relative_to(path).as_posix(): item.stat().st_size for item in path.rglob("*") if item.is_file()
    }
    texts = {
        name: (path / name).read_text(encoding="utf-8", errors="replace")
        for name in (MANIFEST, PROOF)
        if name in sizes
    }
    return judged(path.name, str(path), texts.get(MANIFEST), texts.get(PROOF), sizes)


def judged(name: str, place: str, text: str | None, proved: str | None, sizes: Mapping[str, int]) -> Backup:
    """How a backup stands, by its manifest, its proof and the sizes of its files."""
    if text is None:
        return Backup(name, place, Standing.DAMAGED, None, None, f"{MANIFEST} is missing")
    try:
        made = manifest.parse(f"{place}/{MANIFEST}", text)
    except BackupError as error:
        return Backup(name, place, Standing.DAMAGED, None, None, error.message)
    proof = manifest.parse_proof(proved or "", text)
    if problem := _foreign(name, made) or _lost(made, sizes):
        return Backup(name, place, Standing.DAMAGED, made, proof, problem)
    if proof is None:
        return Backup(name, place, Standing.UNVERIFIED, made, None)
    if proof.good:
        return Backup(name, place, Standing.VERIFIED, made, proof)
    return Backup(name, place, Standing.FAILED, made, proof, "; ".join(proof.problems[:3]) or None)


def find(backups: Sequence[Backup], place: str, name: str | None) -> Backup:
    """One backup by its name, or the newest one. Raises BackupError where there is none, or a damaged one is named."""
    if not backups:
        raise BackupError(
            f"there is no backup in {place}", "`pgratchet backup` takes one; --to names another place."
        )
    if name is None:
        return next((item for item in backups if item.manifest), backups[0])
    for item in backups:
        if item.name == name:
            return item
    from difflib import get_close_matches

    near = get_close_matches(name, [item.name for item in backups], n=1, cutoff=0)
    raise BackupError(
        f"there is no backup {name} in {place}", f"Did you mean {near[0]}? `pgratchet backups` lists all."
    )


def newest_of(backups: Sequence[Backup], database: str, system: str | None) -> tuple[Backup, ...]:
    """The backups of one database, newest first; where the cluster cannot be told, of any of this name."""
    return tuple(
        item
        for item in backups
        if item.manifest
        and item.manifest.database == database
        and (None in {system, item.manifest.system} or item.manifest.system == system)
    )


def proven_since(backups: Sequence[Backup], oldest: datetime) -> bool:
    """Whether one of them was taken since then, and restored to prove it."""
    return any(item.usable and item.manifest and item.manifest.made_at >= oldest for item in backups)


def unneeded(backups: Sequence[Backup], keep: Keep) -> tuple[Backup, ...]:
    """Those that no rule keeps, of each database by itself. Never the newest, nor the newest verified one.

    What cannot be read stays: nobody knows what it is.
    """
    return tuple(item for item in backups if item.manifest and item not in _kept(_of(backups, item), keep))


def remove(path: Path) -> None:
    """Delete a backup: out of sight in one step, since half a backup must not be taken for a whole one."""
    hidden = path.with_name(f".{path.name}{folders.PARTIAL}")
    path.rename(hidden)
    shutil.rmtree(hidden)


def _age(item: Backup) -> tuple[float, str]:
    return (item.manifest.made_at.timestamp() if item.manifest else 0.0, item.name)


def _of(backups: Sequence[Backup], item: Backup) -> list[Backup]:
    """All backups of the same database, newest first."""
    return [one for one in backups if one.manifest and item.manifest and _database(one) == _database(item)]


def _database(item: Backup) -> tuple[str | None, str]:
    assert item.manifest is not None
    return item.manifest.system, item.manifest.database


def _kept(backups: list[Backup], keep: Keep) -> list[Backup]:
    """Of the backups of one database; a damaged one takes nobody's place."""
    whole = [item for item in backups if item.standing not in {Standing.DAMAGED, Standing.FAILED}]
    verified = [item for item in backups if item.standing is Standing.VERIFIED]
    return [
        *whole[: max(keep.last, 1)],
        *verified[:1],
        *_newest_of_each(whole, keep.daily, lambda when: when.date()),
        *_newest_of_each(whole, keep.weekly, lambda when: when.isocalendar()[:2]),
        *_newest_of_each(whole, keep.monthly, lambda when: (when.year, when.month)),
        *(backups if not whole else ()),
    ]


def _newest_of_each(
    backups: Iterable[Backup], number: int, period: Callable[[datetime], object]
) -> list[Backup]:
    """The newest of each of the last so many days, weeks or months that have any."""
    newest: dict[object, Backup] = {}
    for item in backups:
        assert item.manifest is not None
        newest.setdefault(period(item.manifest.made_at), item)
    return list(newest.values())[:number]


def _foreign(name: str, made: Manifest) -> str | None:
    return None if made.name == name else f"its manifest is that of another backup, {made.name}"


def _lost(made: Manifest, sizes: Mapping[str, int]) -> str | None:
    for file in made.files:
        wanted = sealed_size(file.bytes) if made.sealed else file.bytes
        if file.path not in sizes:
            return f"{file.path} is missing"
        if sizes[file.path] != wanted:
            return f"{file.path} has {sizes[file.path]} bytes, and had {wanted}"
    return None
