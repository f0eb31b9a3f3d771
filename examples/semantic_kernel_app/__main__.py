"""`python -m examples.semantic_kernel_app` serves; `check` asks the server beside it, for a health check."""

from __future__ import annotations

import logging
import os
import sys
import urllib.request


def serve(host: str, port: int) -> None:
    """Serve until SIGTERM."""
    import uvicorn

    from examples.semantic_kernel_app.settings import from_environment
    from examples.semantic_kernel_app.web import application

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    uvicorn.run(application(from_environment(os.environ)), host=host, port=port, log_config=None)


def check(port: int) -> None:
    """Print the answer of the running server; fails where it is not healthy."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=4) as answer:
        print(answer.read().decode())


if __name__ == "__main__":
    chosen = int(os.environ.get("PORT", "8000"))
    check(chosen) if sys.argv[1:] == ["check"] else serve(os.environ.get("HOST", "127.0.0.1"), chosen)
