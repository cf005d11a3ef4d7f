"""Settings that fit the machine, or the container that limits it."""

from pathlib import Path

import pytest

from granary.postgres.tuning import (
    GIB,
    MIB,
    Machine,
    cgroup_memory_limit,
    server_settings,
    this_machine,
)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (
            Machine(memory=24 * GIB, cores=2, free_disk=80 * GIB),
            {
                "shared_buffers": "1024MB",
                "effective_cache_size": "15360MB",
                "work_mem": "64MB",
                "maintenance_work_mem": "512MB",
                "max_wal_size": "4096MB",
                "max_parallel_workers": "2",
                "max_parallel_workers_per_gather": "1",
            },
        ),
        (
            Machine(memory=2 * GIB, cores=1, free_disk=4 * GIB),
            {
                "shared_buffers": "512MB",
                "effective_cache_size": "1280MB",
                "work_mem": "8MB",
                "maintenance_work_mem": "64MB",
                "max_wal_size": "512MB",
                "max_parallel_workers": "1",
                "max_parallel_workers_per_gather": "1",
            },
        ),
        (
            Machine(memory=512 * GIB, cores=64, free_disk=9000 * GIB),
            {
                "shared_buffers": "1024MB",
                "max_worker_processes": "68",
                "max_parallel_workers": "64",
                "max_parallel_workers_per_gather": "4",
            },
        ),
    ],
)
def test_settings_fit_the_machine(machine: Machine, expected: dict[str, str]) -> None:
    settings = server_settings(machine)
    assert {name: settings[name] for name in expected} == expected


def test_limit_of_a_container_with_version_2(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/\n")
    write(tmp_path / "sys/fs/cgroup/memory.max", f"{3 * GIB}\n")
    assert cgroup_memory_limit(tmp_path) == 3 * GIB


def test_limit_of_a_parent_group_counts(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/user.slice/session\n")
    write(tmp_path / "sys/fs/cgroup/user.slice/memory.max", f"{500 * MIB}\n")
    write(tmp_path / "sys/fs/cgroup/user.slice/session/memory.max", "max\n")
    assert cgroup_memory_limit(tmp_path) == 500 * MIB


def test_limit_of_version_1_when_the_group_is_named_as_the_host_sees_it(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "9:cpu:/docker/ab\n4:memory:/docker/ab\n0::/\n")
    write(tmp_path / "sys/fs/cgroup/memory/memory.limit_in_bytes", f"{GIB}\n")
    assert cgroup_memory_limit(tmp_path) == GIB


def test_no_limit(tmp_path: Path) -> None:
    assert cgroup_memory_limit(tmp_path) is None
    write(tmp_path / "proc/self/cgroup", "0::/\n")
    write(tmp_path / "sys/fs/cgroup/memory.max", "max\n")
    assert cgroup_memory_limit(tmp_path) is None


def test_this_machine_is_measured(tmp_path: Path) -> None:
    machine = this_machine(tmp_path)
    assert 64 * MIB < machine.memory < 1024 * 1024 * GIB
    assert machine.cores >= 1
    assert machine.free_disk > 0
