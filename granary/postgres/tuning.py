"""Server settings that fit the machine it runs on."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True)
class Machine:
    """What the server may use: memory and free disk space in bytes, and processor cores."""

    memory: int
    cores: int
    free_disk: int


def this_machine(data_directory: Path) -> Machine:
    """Measure this machine, within the limits of the container that we may be in."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = cgroup_memory_limit(Path("/"))
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return Machine(
        memory=memory if limit is None else min(memory, limit),
        cores=cores,
        free_disk=shutil.disk_usage(data_directory).free,
    )


def cgroup_memory_limit(root: Path) -> int | None:
    """The tightest memory limit, in bytes, of our control group (version 1 or 2) and its parents.

    Args:
        root: where /proc and /sys are found.

    Returns:
        None when there is no limit or no control group.
    """
    membership = root / "proc/self/cgroup"
    if not membership.exists():
        return None
    limits = []
    for line in membership.read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            top, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        own = top / group.lstrip("/")
        folders = [own, *(parent for parent in own.parents if parent.is_relative_to(top))]
        files = [folder / name for folder in folders if (folder / name).is_file()]
        limits += [int(text) for file in files if (text := file.read_text().strip()).isdigit()]
    return min(limits, default=None)


def server_settings(machine: Machine) -> dict[str, str]:
    """PostgreSQL settings of the embedded server, by name.

    A quarter of the memory is for shared buffers, up to 1 GB so that no process nears 2 GB; the
    operating system caches the rest.
    """
    parallel = max(1, min(4, machine.cores // 2))
    return {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "max_connections": "100",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "client_encoding": "UTF8",
        "shared_buffers": _megabytes(machine.memory // 4, 64 * MIB, GIB),
        "effective_cache_size": _megabytes(machine.memory * 5 // 8, 128 * MIB, 1024 * GIB),
        "work_mem": _megabytes(machine.memory // 256, 4 * MIB, 64 * MIB),
        "maintenance_work_mem": _megabytes(machine.memory // 32, 32 * MIB, 512 * MIB),
        "dynamic_shared_memory_type": shared_memory_type(),
        "max_wal_size": _megabytes(machine.free_disk // 8, 256 * MIB, 4 * GIB),
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "max_worker_processes": str(max(8, machine.cores + 4)),
        "max_parallel_workers": str(machine.cores),
        "max_parallel_workers_per_gather": str(parallel),
        "max_parallel_maintenance_workers": str(parallel),
        "random_page_cost": "1.1",
        "jit": "off",
        "autovacuum": "on",
        # Failing statements are the client's to report; in the log their values would be personal
        # data.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
    }


def shared_memory_type() -> str:
    """Which kind of shared memory parallel queries exchange rows in.

    On Linux not the usual one, /dev/shm: most containers limit it to 64 MB, and a user's logout
    may empty it. System V memory has neither limit and is as fast.
    """
    return "sysv" if sys.platform == "linux" else "posix"


def configuration(settings: dict[str, str]) -> str:
    """Settings in the form of a PostgreSQL configuration file."""
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    return "\n".join(["# Written anew by Granary at each start.", *lines, ""])


def _megabytes(size: int, least: int, most: int) -> str:
    return f"{min(max(size, least), most) // MIB}MB"
