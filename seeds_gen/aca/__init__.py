"""Synthetic sources of the ACA domain: seven feeds of up to six health insurers."""

from .generator import GenerationSummary, generate

__all__ = ["GenerationSummary", "generate"]
