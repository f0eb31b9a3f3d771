"""The live line on a terminal: what runs, for how long, and how far the server says it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pgratchet.cli.console import event_line, now_and_then, statement_line
from pgratchet.model import Event, Observer, Progressed, StatementEnded, StatementStarted, StepStarted


@contextmanager
def live() -> Iterator[Observer]:
    """An observer that shows the running statement on one line and keeps a line for what is done."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("connecting", total=None)
        place = [0, 0]
        running = [""]
        is_time = now_and_then()

        def hear(event: Event) -> None:
            if isinstance(event, StepStarted):
                place[:] = [event.position, event.of]
            elif isinstance(event, StatementStarted):
                running[0] = statement_line(event)
                bar.reset(task, description=running[0])
            elif isinstance(event, Progressed):
                bar.update(task, description=f"{running[0]}  {event.figures}")
                if event.who and is_time(event):
                    bar.console.print(event_line(event, *place), markup=False, highlight=False)
            elif not isinstance(event, StatementEnded) and (line := event_line(event, *place)):
                bar.console.print(line, markup=False, highlight=False)

        yield hear
