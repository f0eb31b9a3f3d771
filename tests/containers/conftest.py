"""The tests in `engine` need a container engine: containers/run.sh brings one up and runs them."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("PGRATCHET_ENGINE") else ["engine"]
