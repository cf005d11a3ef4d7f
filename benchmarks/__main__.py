"""All benchmarks, one after the other: `uv run python -m benchmarks`."""

from benchmarks import compiler, history, landing, landing_memory, seeds, up

for benchmark in (up, landing, landing_memory, history, seeds, compiler):
    benchmark.main()
    print()
