"""Granary: a warehouse whose every table, row and number has a version."""
