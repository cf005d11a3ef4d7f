"""Rules for models, run by `sqlmesh lint`."""
