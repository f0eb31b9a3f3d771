"""How many forms of change `revert` takes back, each proven by the schema that comes, and why not the others.

    python -m benchmarks.revert                  # some 190 forms, one file each on a common schema
    python -m benchmarks.revert --every 5

The forms are those that the fingerprint is tested with. Left out are those on a subscription, which no file can make
twice, and those that write to the catalogue itself.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg

import pgratchet
from benchmarks import server as servers
from pgratchet.errors import PgratchetError
from pgratchet.reverting import SchemaProof
from tests.db.schema_changes import BASE, CHANGES, READER, WRITER, Made

APPLIER = "postgres"
UNRUN = "does not run as a file"


class Result(NamedTuple):
    """What came of one form."""

    statement: str
    schema: str
    data: str
    why: str
    seconds: float


def main() -> None:
    """Take every form back, and print the counts and what is not proven."""
    asked = _arguments()
    with servers.running(asked.server, asked.place) as server, tempfile.TemporaryDirectory() as place:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            for role, rights in ((APPLIER, "SUPERUSER LOGIN"), (READER, ""), (WRITER, "")):
                connection.execute(f"CREATE ROLE {role} {rights}".encode())
            major = connection.info.server_version // 10_000
        url = server.url("postgres").replace(f"{servers.USER}@", f"{APPLIER}@")
        forms = list(forms_of(major))[:: asked.every]
        results = []
        for number, statement in enumerate(forms):
            results.append(taken_back(statement, Path(place, str(number)), url))
            if asked.verbose:
                print(f"{results[-1].seconds:5.1f} s  {results[-1].schema}: {statement}", flush=True)
    _print(results, server.version)


def forms_of(major: int) -> Iterator[str]:
    """The statements that a file can hold."""
    for made in CHANGES:
        if major >= made.since and not made.icu and not re.search(r"SUBSCRIPTION|UPDATE pg_", made.statement):
            yield _here(made)


def base() -> str:
    """The schema that they are made on."""
    return re.sub(r"CREATE SUBSCRIPTION [^;]*;", "", BASE)


def taken_back(statement: str, folder: Path, url: str) -> Result:
    """Write the two files, and let the second be taken back."""
    folder.mkdir()
    (folder / "V001__base.sql").write_text(f"-- what there was before\n{base()}", encoding="utf-8")
    (folder / "V002__change.sql").write_text(f"-- the change\n{statement};\n", encoding="utf-8")
    began = time.monotonic()
    try:
        made = pgratchet.revert(2, directory=folder, on=url, ask_database=False)
    except PgratchetError as error:
        if "cannot be replayed" in error.message:
            return Result(statement, UNRUN, "", error.message, time.monotonic() - began)
        return Result(statement, SchemaProof.NOT, "", error.message, time.monotonic() - began)
    return Result(statement, made.schema, made.data, "; ".join(made.lost), time.monotonic() - began)


def _here(made: Made) -> str:
    """The statement; one about the database itself as a file has to write it."""
    if "{database}" not in made.statement:
        return made.statement
    form = made.statement.replace("{database}", "%I").replace("'", "''")
    return f"DO $$ BEGIN EXECUTE format('{form}', current_database()); END $$"


def _print(results: list[Result], version: str) -> None:
    unrun = [item for item in results if item.schema == UNRUN]
    results = [item for item in results if item not in unrun]
    proven = [item for item in results if item.schema != SchemaProof.NOT]
    share = 100 * len(proven) / len(results)
    print(f"\nPostgreSQL {version}: {len(proven)} of {len(results)} forms proven ({share:.1f} %)\n")
    for (schema, data), number in sorted(Counter((item.schema, item.data) for item in results).items()):
        print(f"| {schema} | {data or 'nothing written'} | {number} |")
    for item in results:
        if item.schema == SchemaProof.NOT:
            print(f"\nnot proven: {item.statement}\n    " + "\n    ".join(item.why.splitlines()))
    print()
    for item in unrun:
        print(f"{UNRUN}: {item.statement}: {item.why}")
    for item in results:
        if item.schema != SchemaProof.NOT and item.why:
            print(f"data lost: {item.statement}: {item.why}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1, help="take every nth form only")
    parser.add_argument("--verbose", action="store_true", help="print each as it is done")
    parser.add_argument("--server", type=Path, help="the folder of PostgreSQL's programs")
    parser.add_argument("--place", type=Path, help="where the server's data lie, as /dev/shm")
    return parser.parse_args()


if __name__ == "__main__":
    main()
