"""Synthetic sources of the ACA domain: seven feeds of up to six health insurers."""

from .generator import GenerationSummary, generate
from .writer import FileFormat

__all__ = ["FileFormat", "GenerationSummary", "generate"]
