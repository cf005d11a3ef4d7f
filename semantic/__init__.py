"""The metric registry: one YAML file per domain, and its compiler to SQL."""
