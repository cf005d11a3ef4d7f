"""Progress for people: live on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

# Width of the bar; pieces of work that are many enough for plain lines about them.
BAR, MANY = 30, 12


def counted(number: int, noun: str) -> str:
    """Write a number with its noun, which is in the plural unless the number is 1."""
    if number != 1:
        noun += "es" if noun.endswith("ch") else "s"
    return f"{number:,} {noun}"


class Step:
    """A piece of long work; say() tells where it is, result becomes part of its last line."""

    def __init__(self, reporter: "Reporter", title: str) -> None:
        """Begin the step under its title."""
        self._reporter = reporter
        self.title = title
        self.result = ""

    def say(self, message: str) -> None:
        """Show what is being done; it is replaced by the next message on a terminal."""
        self._reporter.live(f"{self.title}: {message}")

    def advance(self, done: int, total: int, message: str) -> None:
        """Show how far the work is: a bar on a terminal, a line at each quarter elsewhere."""
        quarter = 4 * done // total
        if self._reporter.is_live:
            filled = BAR * done // total
            bar = "━" * filled + "╌" * (BAR - filled)
            self.say(f"{bar} {100 * done // total}% {message}")
        elif total >= MANY and quarter > 4 * (done - 1) // total and done < total:
            self._reporter.line(f"{self.title}: {25 * quarter}%, {message}")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to somebody else for a while."""
        with self._reporter.quiet():
            yield


class Reporter:
    """Writes to standard error, so that standard output holds answers only."""

    def __init__(self) -> None:
        """Look whether there is a terminal."""
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._status = self._console.status("") if self._console.is_terminal else None

    @property
    def is_live(self) -> bool:
        """Whether passing messages are seen."""
        return self._status is not None

    def line(self, message: str) -> None:
        """Show a line that stays."""
        self._console.print(Text(message))

    def warn(self, message: str) -> None:
        """Show a warning that stays."""
        self._console.print("[yellow]warning[/yellow]", Text(message))

    def error(self, message: str) -> None:
        """Show an error that stays."""
        self._console.print("[red]error[/red]", Text(message))

    def live(self, message: str) -> None:
        """Show a passing message on a terminal."""
        if self._status:
            self._status.update(Text(message))

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Take the passing message away for a while."""
        if self._status:
            self._status.stop()
        yield
        if self._status:
            self._status.start()

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Time a piece of work and show one line for it when it is done."""
        step = Step(self, title)
        began = time.monotonic()
        if self._status:
            self._status.update(Text(title))
            self._status.start()
        try:
            yield step
        finally:
            if self._status:
                self._status.stop()
        seconds = time.monotonic() - began
        self._console.print(
            Text(f"{title:<12} {step.result} ").append(f"({seconds:.1f} s)", style="dim")
        )
