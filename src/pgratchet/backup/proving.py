"""A backup put to the proof: restored and compared, and the result kept beside it and in the database's own account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pgratchet.backup import catalogue, shelf, verifying
from pgratchet.backup.keeping import Backup
from pgratchet.backup.shelf import Shelf
from pgratchet.model import Observer


@contextmanager
def proven(
    place: Shelf,
    found: Backup,
    on: str | None,
    origin: str | None,
    jobs: int,
    wait: float,
    observer: Observer,
) -> Iterator[tuple[Backup, str | None]]:
    """Yield how the backup stands now, and the URL of what came back, which is dropped in the end.

    `on` is the server to restore on, see `verifying.tried`; `origin` is the database that keeps account.
    """
    assert found.manifest is not None
    with (
        shelf.opened(place, found) as folder,
        verifying.tried(folder, found.manifest, on=on, jobs=jobs, wait=wait, observer=observer) as (
            proof,
            there,
        ),
    ):
        shelf.keep_proof(place, found.name, proof)
        if origin:
            catalogue.record(origin, found.manifest, proof)
        yield shelf.look(place, found.name), there
