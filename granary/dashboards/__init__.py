"""Dashboards as code: short specs in, a bundle of Superset's assets out."""

from granary.dashboards.bundle import Bundle, build_bundle

__all__ = ["Bundle", "build_bundle"]
