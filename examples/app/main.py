"""A small stand-in for the application: answers GET /health with the version of the database's schema.

`main.py` serves; `main.py check` asks the server in the same container, for its health check.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = 8000
NEWEST = "SELECT max(version) FROM schema_migrations WHERE status = 'applied'"


def database_url() -> str:
    """The URL from a secret file, or else from the environment."""
    path = os.environ.get("DATABASE_URL_FILE")
    return Path(path).read_text(encoding="utf-8").rstrip("\n") if path else os.environ["DATABASE_URL"]


def schema_version() -> int | None:
    """The newest migration that is applied; None in a database without any."""
    import psycopg

    with psycopg.connect(database_url(), connect_timeout=3) as connection:
        row = connection.execute(NEWEST).fetchone()
        return row[0] if row else None


class Handler(BaseHTTPRequestHandler):
    """Answers one path; 503 tells an orchestrator not to send requests here."""

    def do_GET(self) -> None:
        """Answer /health."""
        if self.path != "/health":
            self.send_error(404)
            return
        try:
            status, answer = 200, {"status": "ok", "schema_version": schema_version()}
        except Exception as error:  # noqa: BLE001 - whatever it is, we are not healthy
            print(f"unhealthy: {type(error).__name__}", file=sys.stderr)  # its text may hold the URL
            status, answer = 503, {"status": "database not available", "schema_version": None}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve() -> None:
    """Serve until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # process 1 has no default action for it
    print(f"starting on schema version {schema_version()}", flush=True)
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()


def check() -> None:
    """Print the answer of the running server; fails where it is not healthy."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=4) as answer:
        print(answer.read().decode())


if __name__ == "__main__":
    check() if sys.argv[1:] == ["check"] else serve()
