"""Dashboards as code: short specs become a bundle of Superset assets."""
