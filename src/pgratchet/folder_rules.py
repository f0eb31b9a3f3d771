"""The rules that are about the folder as a whole and no statement's: what `explain` and the docs say of them."""

from __future__ import annotations

from pgratchet.findings import Severity
from pgratchet.lint import Rule


def _rule(
    name: str, family: str, title: str, why: str, safe: str, severity: Severity = Severity.ERROR
) -> Rule:
    return Rule(
        id=name,
        family=family,
        severity=severity,
        title=title,
        why=why,
        safe=safe,
        bad="",
        good="",
        on=(),
    )


_MERGED = "pull request"
_FOLDER = "folder"

RULES = (
    _rule(
        "edited-after-merge",
        _MERGED,
        "A merged file says something else",
        "A file that was merged may have been applied anywhere. Where it was, the edit never takes effect, "
        "and the next run refuses it; where it was not, another schema comes out. Comments and white space "
        "may change.",
        "Put the file back, and write the change as the next migration.",
    ),
    _rule(
        "renamed-after-merge",
        _MERGED,
        "A merged file has another name",
        "The version in the name is what a database knows a file by. With another one the file is applied a"
        " second time, and the first seems to be missing.",
        "Give the file its name back.",
    ),
    _rule(
        "deleted-after-merge",
        _MERGED,
        "A merged file is gone",
        "A new database is made without it, a database that has applied it refuses the folder. Files that a"
        " newer baseline stands for may go.",
        "Put the file back. To take back what it did, write the next migration.",
    ),
    _rule(
        "version-taken",
        _MERGED,
        "Two branches have given one version",
        "Both branches took the next free version. Once both are merged, no run knows which of the two "
        "comes first.",
        "`pgratchet new --renumber` moves the files of this branch above those of the base.",
    ),
    _rule(
        "version-too-low",
        _MERGED,
        "A new file comes before one that was merged already",
        "Databases that have applied the higher version refuse a lower one that comes later, and a new "
        "database applies the two in the other order.",
        "`pgratchet new --renumber` moves the files of this branch above those of the base.",
    ),
    _rule(
        "file-name",
        _FOLDER,
        "A file that is no migration by its name",
        "No run would start with it in the folder: a file that is passed over in silence is one that somebody "
        "believes to be applied.",
        "V<version>__<description>.sql; what is no migration belongs elsewhere.",
    ),
    _rule(
        "file-unreadable",
        _FOLDER,
        "A file that is empty or cannot be opened",
        "No run would start with it in the folder.",
        "Write the migration, or delete the file; let the user that runs pgratchet read it.",
    ),
    _rule(
        "version-twice",
        _FOLDER,
        "Two files with one version",
        "Which of the two comes first is not to be told, and no run would start.",
        "Give the newer one the next free version.",
    ),
    _rule(
        "line-ends",
        _FOLDER,
        "A file with a byte order mark or carriage returns",
        "The checksums leave both out, but what stands between quotes is stored as it is: the body of a function "
        "then differs between databases that were migrated from other checkouts.",
        "Save it as UTF-8 without a mark and with line feeds alone; `*.sql text eol=lf` in .gitattributes keeps it so.",
        Severity.NOTE,
    ),
    _rule(
        "syntax",
        _FOLDER,
        "A file cannot be read",
        "PostgreSQL's own grammar, or what a migration may hold, does not allow what stands there. Nothing "
        "would be run.",
        "The finding says what is wrong at its place.",
    ),
    _rule(
        "unwritten",
        _FOLDER,
        "A file still has nothing below its header",
        "Applied so it could not be changed any more.",
        "Write its statements, or delete the file.",
    ),
    _rule(
        "lock-file",
        _FOLDER,
        "Files and migrations.lock disagree",
        "The lock says what each file held when it was written, so that an edit of an old file does not go "
        "unnoticed and two branches with one version meet in git.",
        "`pgratchet check --write` writes the lock, once the files are as they should be.",
    ),
    _rule(
        "history",
        _FOLDER,
        "Files and the history of a database disagree",
        "`pgratchet up` would refuse these files on the database that was named.",
        "The finding says what to do.",
    ),
)
