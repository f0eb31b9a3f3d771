"""Object stores without the package that they need."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from pgratchet import ConfigurationError
from pgratchet.backup import bucket

URL = "s3://there/app"


@pytest.mark.parametrize(
    "ask",
    [
        bucket.sizes,
        lambda url: bucket.put(url, "a", [b"x"]),
        lambda url: list(bucket.get(url, "a")),
        lambda url: bucket.delete(url, ["a"]),
    ],
)
def test_without_the_package_an_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[str], Any]
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "obstore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ConfigurationError, match="need the package obstore") as caught:
        ask(URL)
    assert caught.value.hint == "Run: pip install 'pgratchet[backup]'"
