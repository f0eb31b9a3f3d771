"""Object stores: the few things that are asked of one, with its failures in our words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pgratchet.errors import BackupError, ConfigurationError

# What type checkers take for true: obstore is there only with the extra `backup`.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from obstore.store import ObjectStore

PIECE = 1 << 20
PART = 16 << 20
RETRIES = 10


def put(url: str, path: str, content: Iterable[bytes]) -> None:
    """Write an object, sent piece by piece; it is there whole or not at all."""
    with _explained(url):
        import obstore

        obstore.put(_store(url), path, iter(content), chunk_size=PART, max_concurrency=4)


def get(url: str, path: str) -> Iterator[bytes]:
    """Read an object, piece by piece."""
    with _explained(url):
        import obstore

        for piece in obstore.get(_store(url), path).stream(min_chunk_size=PIECE):
            yield bytes(piece)


def sizes(url: str) -> dict[str, int]:
    """Every object and its size."""
    with _explained(url):
        import obstore

        return {item["path"]: item["size"] for part in obstore.list(_store(url)) for item in part}


def delete(url: str, paths: list[str]) -> None:
    """Delete objects, in this order."""
    with _explained(url):
        import obstore

        store = _store(url)
        for path in paths:
            obstore.delete(store, path)


def _store(url: str) -> ObjectStore:
    from obstore.store import from_url

    return from_url(url, retry_config={"max_retries": RETRIES})


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        from obstore.exceptions import BaseError
    except ImportError:
        message = f"backups in {url} need the package obstore"
        raise ConfigurationError(message, "Run: pip install 'pgratchet[backup]'") from None
    try:
        yield
    except (BaseError, OSError, ValueError) as problem:
        said = str(problem).splitlines()[0][:300]
        raise BackupError(
            f"the object store {url} fails: {said}",
            "Look at the URL and at the credentials, which are read from the environment (AWS_…, GOOGLE_…, AZURE_…).",
        ) from problem
