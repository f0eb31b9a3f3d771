"""What the container files of the project say, read for the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent.parent


def compose() -> dict[str, Any]:
    """Give compose.yaml as data, its anchors resolved."""
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "compose.yaml")
    return loaded


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"][name]
    return found


def documents(path: Path) -> list[dict[str, Any]]:
    """Give every document of a YAML file."""
    return [document for document in YAML(typ="safe", pure=True).load_all(path) if document]


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Give a Dockerfile's instructions, comments and line continuations gone: ('USER', '10001:10001')."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    words = (line.split(maxsplit=1) for line in joined.splitlines() if line.strip())
    return [(word.upper(), " ".join(rest[0].split()) if rest else "") for word, *rest in words]


def last_of(instruction: str) -> str:
    """Give the value of the last such instruction of the project's Dockerfile."""
    return [value for name, value in instructions(ROOT / "Dockerfile") if name == instruction][-1]


def image_environment() -> dict[str, str]:
    """Give the variables that the image sets."""
    pairs = last_of("ENV").split()
    return dict(pair.split("=", 1) for pair in pairs)


def entry_point() -> list[str]:
    """Give the words of ENTRYPOINT and CMD; fails where one is not in exec form."""
    words: list[str] = json.loads(last_of("ENTRYPOINT")) + json.loads(last_of("CMD"))
    return words
