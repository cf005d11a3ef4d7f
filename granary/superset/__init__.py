"""Superset under Granary's control: installed, served, provisioned and kept equal to the specs."""
