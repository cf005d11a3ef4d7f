"""All benchmarks, one after the other: `uv run python -m benchmarks`."""

from benchmarks import history, landing, seeds, up

up.main()
print()
landing.main()
print()
history.main()
print()
seeds.main()
