"""Where backups are kept: a folder, or an object store; encrypted where there is a key. Work is done in a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pgratchet import scratch
from pgratchet.backup import bucket, keeping, manifest, sealing
from pgratchet.backup import folder as folders
from pgratchet.backup.keeping import Backup
from pgratchet.backup.manifest import MANIFEST, PROOF, Manifest, Proof
from pgratchet.errors import BackupError, ConfigurationError

PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Shelf:
    """A place for backups: the path of a folder, or a URL."""

    place: str
    key: bytes | None = None

    @property
    def remote(self) -> bool:
        """Whether it is an object store."""
        return "://" in self.place


@contextmanager
def workplace(shelf: Shelf) -> Iterator[Path]:
    """The folder in which a backup is made: where it will stay, or one that is gone in the end."""
    if not shelf.remote:
        yield Path(shelf.place)
        return
    with tempfile.TemporaryDirectory(prefix="pgratchet-backup-") as name:
        yield Path(name)


def deliver(shelf: Shelf, folder: Path, made: Manifest) -> None:
    """Put a whole backup where it belongs. In an object store the manifest comes last: without it there is none."""
    if shelf.remote:
        for file in made.files:
            bucket.put(shelf.place, f"{made.name}/{file.path}", _sealed(shelf, folder, made.name, file.path))
        bucket.put(shelf.place, f"{made.name}/{MANIFEST}", _read(folder / MANIFEST))
        return
    if shelf.key:
        for file in made.files:
            half = folder / f"{file.path}.sealing"
            _write(half, _sealed(shelf, folder, made.name, file.path))
            half.replace(folder / file.path)
    folders.publish(folder, made.name)


def listed(shelf: Shelf) -> tuple[Backup, ...]:
    """All backups, newest first. In an object store manifests and proofs are read, and sizes compared."""
    if not shelf.remote:
        return keeping.listed(Path(shelf.place))
    sizes = bucket.sizes(shelf.place)
    names = {path.split("/")[0] for path in sizes if path.endswith(f"/{MANIFEST}")}
    return keeping.newest_first(_look(shelf, name, sizes) for name in names)


def look(shelf: Shelf, name: str) -> Backup:
    """How one backup stands."""
    if not shelf.remote:
        return keeping.look(Path(shelf.place) / name)
    return _look(shelf, name, bucket.sizes(shelf.place))


@contextmanager
def opened(shelf: Shelf, item: Backup) -> Iterator[Path]:
    """The backup as a folder that pg_restore can read; brought there and decrypted where it is not one."""
    assert item.manifest is not None
    if not shelf.remote and not item.manifest.sealed:
        yield Path(item.place)
        return
    with scratch.place() as place:
        folder = place / item.name
        folder.mkdir()
        _write(folder / MANIFEST, _pieces(shelf, item, MANIFEST))
        if item.manifest.sealed:
            _unseal(shelf, item, item.manifest, folder)
        else:
            for file in item.manifest.files:
                _write(folder / file.path, _pieces(shelf, item, file.path))
        yield folder


def _unseal(shelf: Shelf, item: Backup, made: Manifest, folder: Path) -> None:
    """Decrypt every file. A damaged one ends where the damage begins, which its checksum then tells."""
    wanted = "Set PGRATCHET_BACKUP_KEY, or PGRATCHET_BACKUP_KEY_FILE, to the key that it was taken with."
    if not shelf.key:
        raise ConfigurationError(f"{item.name} is encrypted, and no key is given", wanted)
    others = 0
    for file in made.files:
        pieces = sealing.unseal(_pieces(shelf, item, file.path), shelf.key, f"{item.name}/{file.path}")
        try:
            _write(folder / file.path, pieces)
        except sealing.OtherKey:
            others += 1
        except sealing.Damaged:
            continue
    if others == len(made.files):
        raise ConfigurationError(f"{item.name} was encrypted with another key", wanted)


def keep_proof(shelf: Shelf, name: str, proof: Proof) -> None:
    """Put the result of a verification beside the manifest, in place of the one before."""
    if shelf.remote:
        bucket.put(shelf.place, f"{name}/{PROOF}", [manifest.proof_text(proof).encode()])
    else:
        manifest.write_proof(Path(shelf.place) / name, proof)


def remove(shelf: Shelf, item: Backup) -> None:
    """Delete a backup, beginning with what makes it one."""
    if not shelf.remote:
        keeping.remove(Path(item.place))
        return
    paths = sorted(path for path in bucket.sizes(shelf.place) if path.startswith(f"{item.name}/"))
    bucket.delete(shelf.place, sorted(paths, key=lambda path: not path.endswith(f"/{MANIFEST}")))


def _look(shelf: Shelf, name: str, sizes: dict[str, int]) -> Backup:
    inner = {
        path.removeprefix(f"{name}/"): size for path, size in sizes.items() if path.startswith(f"{name}/")
    }
    texts = {
        path: b"".join(bucket.get(shelf.place, f"{name}/{path}")).decode(errors="replace")
        for path in (MANIFEST, PROOF)
        if path in inner
    }
    return keeping.judged(
        name, f"{shelf.place.rstrip('/')}/{name}", texts.get(MANIFEST), texts.get(PROOF), inner
    )


def _pieces(shelf: Shelf, item: Backup, path: str) -> Iterable[bytes]:
    if shelf.remote:
        return bucket.get(shelf.place, f"{item.name}/{path}")
    return _read(Path(item.place) / path)


def _sealed(shelf: Shelf, folder: Path, name: str, path: str) -> Iterable[bytes]:
    pieces = _read(folder / path)
    return sealing.seal(pieces, shelf.key, f"{name}/{path}") if shelf.key else pieces


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
    except OSError as problem:
        raise BackupError(f"{path} cannot be read: {problem.strerror}", manifest.DAMAGED) from problem


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
