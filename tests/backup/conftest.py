"""What the tests of backups share: settings for a database, the bundled one with data, two databases side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pgratchet import config
from pgratchet.config import Settings
from tests.servers import Database


@pytest.fixture
def settings_of(tmp_path: Path) -> Callable[[Database], Settings]:
    """Give the settings that a project has for a database; its backups lie in a folder of the test."""

    def make(database: Database) -> Settings:
        return config.load({"url": database.url}, {}, str(tmp_path))

    return make
