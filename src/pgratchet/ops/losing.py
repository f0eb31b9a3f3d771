"""What a run loses for good in production, and the verified backup of today that it needs for that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pgratchet import catalogue, db, lint
from pgratchet.backup import catalogue as account
from pgratchet.backup import facts, keeping, shelf
from pgratchet.backup.keeping import Backup, Standing
from pgratchet.backup.settings import Choices
from pgratchet.findings import Finding
from pgratchet.model import Check, Preview, Verdict

NAME = "backup"
SHOWN = 5


def unsecured(connection: db.Connection, made: Preview, said: Choices) -> Check | None:
    """The refusal of a plan that loses what no verified backup of today holds; None where it may run.

    That a file ignores the rule says that somebody means it, and brings nothing back.
    """
    lost = tuple(lint.losses(made.plan.steps, made.scripts, catalogue.read(connection)))
    if not lost:
        return None
    there = shelf.listed(said.shelf)
    own = keeping.newest_of(there, connection.info.dbname, facts.system(connection))
    oldest = datetime.now(UTC) - timedelta(hours=said.max_age_hours)
    if keeping.proven_since(own, oldest) or _recorded(connection, there, said.max_age_hours):
        return None
    return refusal(lost, own, said.max_age_hours)


def refusal(lost: Sequence[Finding], own: Sequence[Backup], hours: int) -> Check:
    """What would be lost, which backup there is instead, and what to do."""
    places = [
        f"  {item.path}:{item.line}:{item.column}: {item.rule}: {item.message}" for item in lost[:SHOWN]
    ]
    if more := len(lost) - len(places):
        places.append(f"  and {more} more")
    newest = f"; the newest, {own[0].name}, is {_described(own[0])}" if own else ""
    reason = f"production has no verified backup of the last {hours} h{newest}, and this is lost for good:"
    return Check(
        NAME,
        Verdict.REFUSE,
        "\n".join([reason, *places]),
        "`pgratchet up --backup` takes one, restores it to prove it, and goes on; `pgratchet backup --verify` does "
        "that beforehand. What else takes backups can enter them in the database's own account, or "
        "max_age_hours = 0 in [backup] asks for none.",
        lost[0].path.name,
    )


def _recorded(connection: db.Connection, there: Sequence[Backup], hours: int) -> bool:
    """Whether the account in the database has one, that we do not know better."""
    bad = [item for item in there if item.standing in {Standing.DAMAGED, Standing.FAILED}]
    ids = [str(item.manifest.backup_id) for item in bad if item.manifest and item.manifest.backup_id]
    return account.proven(connection, hours, ids) is not None


def _described(item: Backup) -> str:
    assert item.manifest is not None
    age = datetime.now(UTC) - item.manifest.made_at
    return f"{item.standing.value}, and {age.total_seconds() / 3600:.0f} h old"
