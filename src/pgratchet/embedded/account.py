"""Who runs the embedded server, which PostgreSQL refuses to root, and running programs as that account."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgratchet.errors import ConfigurationError

LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server when we are root. It exists already: no account is ever made."""

    uid: int
    gid: int

    @property
    def name(self) -> str:
        """The name, or the number where there is none."""
        return name_of(self.uid)


def choose(folder: Path) -> Account | None:
    """Choose who runs the server of this folder; None: we ourselves. Only root has a choice.

    It is the owner of the data, or else of the folder, so that a run by sudo and a run without go together.
    An owner without a name (a bind mount in a container) cannot make a cluster: then `nobody`, who is
    everywhere.
    """
    data = folder / "data"
    me = os.geteuid()
    if data.exists() and data.stat().st_uid != me:
        owner = data.stat()
        if me != 0:
            raise ConfigurationError(
                f"the embedded PostgreSQL in {folder} belongs to the account {name_of(owner.st_uid)}",
                "Run as that account, or name a database with --url.",
            )
        return Account(owner.st_uid, owner.st_gid)
    return None if me else _owner_or_nobody(folder)


def _owner_or_nobody(folder: Path) -> Account:
    owner = next(path for path in (folder, *folder.absolute().parents) if path.exists()).stat()
    if owner.st_uid != 0 and name_of(owner.st_uid) != str(owner.st_uid):
        return Account(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def name_of(uid: int) -> str:
    """Give the name of an account, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def give(path: Path, account: Account | None) -> None:
    """Make the account the owner of a folder that we have just made."""
    if account:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def write_new(path: Path, text: str, account: Account | None) -> None:
    """Write a file that is not there yet, for the account alone.

    Where another account may write, root must not open what it finds: it could be a link to anywhere.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        if account:
            os.fchown(descriptor, account.uid, account.gid)
        file.write(text)


def may_write(account: Account | None, folder: Path) -> bool:
    """Ask the system itself whether the account can enter and change a folder: modes do not tell it all."""
    return run(["/bin/sh", "-c", 'cd -- "$1" && test -w .', "sh", folder.absolute()], account).returncode == 0


def options(account: Account | None) -> dict[str, Any]:
    """What makes `subprocess` run as the account."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def run(
    command: list[str | Path], account: Account | None, keep: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run as the account, in a folder where everybody can be; the child inherits the descriptor `keep`."""
    return subprocess.run(
        command,
        **options(account),
        env={**os.environ, "LC_ALL": LOCALE},
        cwd="/",
        pass_fds=() if keep is None else (keep,),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
