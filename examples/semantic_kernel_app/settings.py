"""What the application is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# For queries that the connector makes itself. V002 sets them for the database, if its owner may; a connection
# that says them is right in any case. Without the iterative scan a policy would shrink the results silently.
VECTOR_SEARCH = {
    "hnsw.ef_search": "200",
    "hnsw.iterative_scan": "strict_order",
    "hnsw.max_scan_tuples": "100000",
}


@dataclass(frozen=True)
class Settings:
    """`migration_url` is the login that applies migrations; None: somebody else does, and this start waits."""

    url: str
    migration_url: str | None
    migrations: str = "database/migrations"
    role: str = "semantic_kernel_app"
    demo_login: str = ""
    openai_key: str = ""
    chat_model: str = "gpt-4o-mini"
    wait: float = 60.0


def from_environment(variables: Mapping[str, str]) -> Settings:
    """Read the settings; README.md explains each variable."""
    url = _secret(variables, "DATABASE_URL")
    if not url:
        raise SystemExit("name the database in DATABASE_URL or DATABASE_URL_FILE")
    return Settings(
        url=url,
        migration_url=None
        if variables.get("MIGRATIONS") == "wait"
        else _secret(variables, "MIGRATION_URL") or url,
        migrations=variables.get("PGRATCHET_DIR", Settings.migrations),
        role=variables.get("DATABASE_ROLE", Settings.role),
        demo_login=variables.get("DEMO_LOGIN", ""),
        openai_key=_secret(variables, "OPENAI_API_KEY"),
        chat_model=variables.get("OPENAI_CHAT_MODEL", Settings.chat_model),
    )


def _secret(variables: Mapping[str, str], name: str) -> str:
    """Give a value from a file, as containers mount it, or else from the environment."""
    path = variables.get(f"{name}_FILE")
    return Path(path).read_text(encoding="utf-8").rstrip("\n") if path else variables.get(name, "")
