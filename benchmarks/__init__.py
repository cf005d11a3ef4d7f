"""Measurements of set-up, landing and runs."""
