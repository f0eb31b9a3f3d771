"""Results of rehearsals as files: written, read again, and compared with what is about to be run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pgratchet.rehearsal.records import Answer, Rehearsal, Subject

FORM = 1


def write(folder: Path, value: Rehearsal) -> Path:
    """Keep a result; returns its file."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{value.at.replace(':', '').replace('-', '')[:15]}-{value.subject.fingerprint[:8]}.json"
    path = folder / name
    path.write_text(
        json.dumps({"form": FORM, **asdict(value)}, indent=1, ensure_ascii=False), encoding="utf-8"
    )
    return path


def refusal(folder: Path, subject: Subject) -> str | None:
    """Why what is about to be run counts as not rehearsed; None where the newest rehearsal of it allows it."""
    found = list(_read(folder))
    if not found:
        return f"there is no rehearsal in {folder}"
    for answer, kept in found:
        if kept == subject:
            return "its newest rehearsal says: no go" if answer is Answer.NO_GO else None
    return "what was rehearsed is not this: " + "; ".join(_differences(found[0][1], subject))


def _read(folder: Path) -> Iterator[tuple[Answer, Subject]]:
    """Every result, the newest first; what is no result of this form is passed over."""
    for path in sorted(folder.glob("*.json"), reverse=True):
        try:
            kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            subject = kept["subject"]
            files = tuple((str(name), str(checksum)) for name, checksum in subject["files"])
            yield Answer(kept["answer"]), Subject(files, int(subject["major"]), str(subject["fingerprint"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _differences(kept: Subject, now: Subject) -> Iterator[str]:
    before, after = dict(kept.files), dict(now.files)
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"{name} was not part of it"
        elif name not in after:
            yield f"{name} was part of it, and is not to be run now"
        elif before[name] != after[name]:
            yield f"{name} was changed since"
    if kept.major != now.major:
        yield f"that was PostgreSQL {kept.major}, this is {now.major}"
    if kept.fingerprint != now.fingerprint:
        yield "the schema of the database is another"
