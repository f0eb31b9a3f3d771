"""What is wanted of backups: the table `[backup]` of pgratchet.toml, and what a caller says instead."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgratchet import config
from pgratchet.backup import sealing
from pgratchet.backup.keeping import Keep
from pgratchet.backup.shelf import Shelf
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError

KEY = "PGRATCHET_BACKUP_KEY"


@dataclass(frozen=True, slots=True)
class Choices:
    """The table `[backup]`, read and found good."""

    shelf: Shelf
    jobs: int
    exclude: tuple[str, ...]
    codec: str
    up: str
    max_age_hours: int
    verify: bool
    on: str
    same_server: bool
    keep: Keep


def choices(settings: Settings, **given: Any) -> Choices:
    """What the settings say, but for what is given and not None. Raises ConfigurationError."""
    on, same_server = given.get("on"), given.get("same_server")
    if on and same_server:
        raise ConfigurationError("--on and --same-server are both given", "Keep one of the two.")
    # Who names a server by one of the two does not mean the other one of the file.
    given |= {"on": ""} if same_server else {"same_server": False} if on else {}
    if given.get("to") is not None:
        given["to"] = str(given["to"])
    said = config.section(settings, "backup", **given)
    if said["on"] and said["same_server"]:
        message = f"{config.FILE}: backup.on and backup.same_server are both set"
        raise ConfigurationError(message, "Keep one of the two.")
    place = said["to"] if "://" in said["to"] else str(Path(settings.root) / said["to"])
    key = config.secret(KEY, os.environ)
    return Choices(
        shelf=Shelf(place, sealing.key_of(key) if key else None),
        jobs=said["jobs"],
        exclude=tuple(said["exclude_data"]),
        codec=said["codec"],
        up=said["up"],
        max_age_hours=said["max_age_hours"],
        verify=said["verify"],
        on=said["on"],
        same_server=said["same_server"],
        keep=Keep(**{name: said[f"keep_{name}"] for name in ("last", "daily", "weekly", "monthly")}),
    )
