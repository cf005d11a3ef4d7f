"""All benchmarks, one after the other: `uv run python -m benchmarks`."""

from benchmarks import history, landing, up

up.main()
print()
landing.main()
print()
history.main()
