"""Synthetic sources, one package per domain."""
