"""Settings of hypothesis for the unit tests: quick, and no deadline, since machines are shared."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unit", deadline=None, max_examples=60)
settings.load_profile("unit")
