"""How lifelike a generated world is: public aggregates, measured on its files."""

from .report import Finding, Verdict, measure, show

__all__ = ["Finding", "Verdict", "measure", "show"]
