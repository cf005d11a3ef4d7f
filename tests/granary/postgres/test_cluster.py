"""The embedded server's life: made, started, killed, moved aside, removed."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from granary.errors import GranaryError
from granary.postgres import cluster as cluster_module
from granary.postgres import initialise as initialise_module
from granary.postgres.cluster import Cluster
from granary.postgres.connection import connect
from granary.postgres.endpoint import Endpoint
from granary.postgres.installation import Account
from granary.postgres.layout import OUTSIDE
from granary.postgres.processes import PID_FILE
from granary.settings import PROJECT

pytestmark = pytest.mark.slow

is_root = os.geteuid() == 0
needs_root = pytest.mark.skipif(not is_root, reason="only root can become another user")

NewCluster = Callable[[Path], Cluster]


def answer(endpoint: Endpoint, query: str) -> object:
    with connect(endpoint, application_name="test", autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def do(endpoint: Endpoint, statement: str) -> None:
    with connect(endpoint, application_name="test", autocommit=True) as connection:
        connection.execute(statement)


def modes_of_parents(folder: Path) -> dict[Path, tuple[int, int, int]]:
    states = {path: path.stat() for path in [folder, *folder.parents]}
    return {path: (state.st_mode, state.st_uid, state.st_gid) for path, state in states.items()}


def server_account(cluster: Cluster) -> Account:
    return Account.owner_of(cluster.status().data_directory)


def test_start_and_stop_can_be_repeated(tmp_path: Path, new_cluster: NewCluster) -> None:
    cluster = new_cluster(tmp_path / "home")
    assert not cluster.status().running
    assert cluster.status().version is None
    cluster.stop()

    cluster.start()
    first = cluster.status()
    cluster.start()
    assert cluster.status() == first
    assert first.running
    assert first.version == answer(cluster.admin, "SHOW server_version")
    assert first.port == cluster.admin.port

    cluster.stop()
    cluster.stop()
    assert not cluster.status().running
    assert not psutil.pid_exists(first.pid or 0) or psutil.Process(first.pid).status() == "zombie"
    with pytest.raises(
        GranaryError, match=f"No PostgreSQL server answers at 127.0.0.1:{first.port}"
    ):
        answer(cluster.admin, "SELECT 1")


def test_second_start_takes_less_than_a_second_and_keeps_rows(
    tmp_path: Path, new_cluster: NewCluster
) -> None:
    cluster = new_cluster(tmp_path / "home")
    cluster.start()
    do(cluster.admin, "CREATE TABLE kept AS SELECT 42 AS answer")
    endpoint = cluster.admin
    cluster.stop()

    began = time.monotonic()
    cluster.start()
    assert time.monotonic() - began < 1
    assert cluster.admin == endpoint
    assert answer(endpoint, "SELECT answer FROM kept") == 42


def test_server_outlives_the_process_and_the_session_that_started_it(
    tmp_path: Path, new_cluster: NewCluster
) -> None:
    cluster = new_cluster(tmp_path / "home")
    program = (
        "import sys; from pathlib import Path; from granary.postgres.cluster import Cluster; "
        "Cluster(Path(sys.argv[1])).start()"
    )
    launcher = subprocess.Popen(
        [sys.executable, "-c", program, str(cluster.home)], cwd=PROJECT, start_new_session=True
    )
    assert launcher.wait(60) == 0
    pid = cluster.status().pid
    assert pid is not None
    assert os.getsid(pid) != launcher.pid
    with pytest.raises(ProcessLookupError):
        os.killpg(launcher.pid, signal.SIGHUP)
    assert answer(cluster.admin, "SELECT 1") == 1


def test_killed_server_recovers_although_a_backend_of_it_still_works(
    tmp_path: Path, new_cluster: NewCluster
) -> None:
    cluster = new_cluster(tmp_path / "home")
    cluster.start()
    do(cluster.admin, "CREATE TABLE kept AS SELECT 42 AS answer")
    busy = connect(cluster.admin, application_name="busy")
    backend = psutil.Process(busy.info.backend_pid)

    def work_for_minutes() -> None:
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT COUNT(*) FROM generate_series(1, 1e11::bigint)")

    working = threading.Thread(target=work_for_minutes)
    working.start()
    while answer(cluster.admin, "SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'active'") < 2:
        time.sleep(0.01)
    killed = cluster.status().pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    time.sleep(0.2)
    assert backend.status() != psutil.STATUS_ZOMBIE, "the backend should have outlived its server"

    cluster.start()
    working.join(10)
    assert not working.is_alive()
    assert cluster.status().pid != killed
    assert answer(cluster.admin, "SELECT answer FROM kept") == 42


def test_killed_server_can_be_stopped(tmp_path: Path, new_cluster: NewCluster) -> None:
    cluster = new_cluster(tmp_path / "home")
    cluster.start()
    os.kill(cluster.status().pid or 0, signal.SIGKILL)
    cluster.stop()
    assert not cluster.status().running
    cluster.start()
    assert answer(cluster.admin, "SELECT 1") == 1


def test_stale_pid_file_naming_a_live_process_of_someone_else(
    tmp_path: Path, new_cluster: NewCluster, shared_cluster: Cluster
) -> None:
    cluster = new_cluster(tmp_path / "home")
    cluster.start()
    data = cluster.status().data_directory
    pid_file = (data / PID_FILE).read_text()
    old_pid = pid_file.splitlines()[0]
    cluster.stop()

    sleeper = subprocess.Popen(["sleep", "60"], **server_account(cluster).process_options())
    for foreign_pid in (sleeper.pid, shared_cluster.status().pid):
        (data / PID_FILE).write_text(pid_file.replace(old_pid, str(foreign_pid), 1))
        assert not cluster.status().running
        cluster.stop()
        cluster.start()
        assert answer(cluster.admin, "SELECT 1") == 1
        cluster.stop()
    assert sleeper.poll() is None
    assert answer(shared_cluster.admin, "SELECT 1") == 1
    sleeper.kill()
    sleeper.wait()


def test_another_port_is_taken_and_remembered(tmp_path: Path, new_cluster: NewCluster) -> None:
    cluster = new_cluster(tmp_path / "home")
    cluster.start()
    port = cluster.admin.port
    cluster.stop()
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        cluster.start()
        assert cluster.admin.port != port
        assert answer(cluster.admin, "SHOW port") == str(cluster.admin.port)
        moved_to = cluster.admin.port
        cluster.stop()
    cluster.start()
    assert cluster.admin.port == moved_to


def test_port_lost_between_the_look_and_the_start(
    tmp_path: Path, new_cluster: NewCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = new_cluster(tmp_path / "home")
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        really_free = cluster_module._free_port()
        answers = iter([taken, really_free])
        monkeypatch.setattr(cluster_module, "_free_port", lambda: next(answers))
        monkeypatch.setattr(cluster_module, "_is_free", lambda port: True)
        cluster.start()
    assert cluster.admin.port == really_free
    assert answer(cluster.admin, "SELECT 1") == 1


def test_two_homes_side_by_side(tmp_path: Path, new_cluster: NewCluster) -> None:
    one, other = new_cluster(tmp_path / "one/home"), new_cluster(tmp_path / "other/home")
    one.start()
    other.start()
    do(one.admin, "CREATE TABLE mine AS SELECT 1 AS number")
    do(other.admin, "CREATE TABLE mine AS SELECT 2 AS number")
    assert one.admin.port != other.admin.port
    assert answer(one.admin, "SELECT number FROM mine") == 1
    with pytest.raises(GranaryError, match="refused the password"):
        answer(replace(one.admin, port=other.admin.port), "SELECT 1")
    one.destroy()
    assert answer(other.admin, "SELECT number FROM mine") == 2


def test_two_starts_at_once_make_one_server(tmp_path: Path, new_cluster: NewCluster) -> None:
    home = tmp_path / "home"
    new_cluster(home)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: Cluster(home).start(), range(4)))
    data = Cluster(home).status().data_directory
    postmasters = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(data) in (process.info["cmdline"] or [])
    ]
    assert len(postmasters) == 1


def test_long_and_odd_path(open_folder: Path, new_cluster: NewCluster) -> None:
    home = open_folder / ("long " * 40) / 'it\'s a "$HOME" %s' / "home"
    assert len(str(home)) > 200
    cluster = new_cluster(home)
    cluster.start()
    assert cluster.status().data_directory.is_relative_to(home)
    assert answer(cluster.admin, "SELECT 1") == 1


def test_permissions_of_the_users_folders_stay(open_folder: Path, new_cluster: NewCluster) -> None:
    checkout = open_folder / "checkout"
    (checkout / ".local").mkdir(parents=True)
    checkout.chmod(0o751)
    (checkout / ".local").chmod(0o711)
    before = modes_of_parents(checkout / ".local")
    cluster = new_cluster(checkout / ".local")
    cluster.start()
    assert cluster.status().data_directory == checkout / ".local/postgres/data"
    assert modes_of_parents(checkout / ".local") == before
    assert stat.S_IMODE(cluster.status().data_directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((checkout / ".local/postgres.json").stat().st_mode) == 0o600
    cluster.destroy()
    assert [path.name for path in (checkout / ".local").iterdir()] == ["postgres.lock"]


@needs_root
def test_home_that_nobody_can_reach(tmp_path: Path, new_cluster: NewCluster) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = modes_of_parents(closed)
    cluster = new_cluster(closed / "home")
    cluster.start()
    data = cluster.status().data_directory
    assert data.is_relative_to(OUTSIDE)
    assert modes_of_parents(closed) == before
    do(cluster.admin, "CREATE TABLE kept AS SELECT 42 AS answer")

    cluster.stop()
    moved = closed.rename(tmp_path / "moved")
    after_move = new_cluster(moved / "home")
    after_move.start()
    assert answer(after_move.admin, "SELECT answer FROM kept") == 42

    copy = tmp_path / "copy"
    shutil.copytree(moved, copy)
    with pytest.raises(GranaryError, match="is a copy; its database belongs to"):
        Cluster(copy / "home").start()
    assert answer(after_move.admin, "SELECT answer FROM kept") == 42

    after_move.destroy()
    assert not data.parent.exists()


@needs_root
def test_programs_that_nobody_can_reach_are_copied(
    open_folder: Path, tmp_path: Path, new_cluster: NewCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from granary.postgres import installation, layout

    bundled = installation.bundled_installation()
    package = tmp_path / "site-packages" / installation.PACKAGE
    shutil.copytree(bundled, package / installation.INSTALLATION)
    shutil.copytree(
        bundled.parents[1] / f"{installation.PACKAGE}.libs",
        package.parent / f"{installation.PACKAGE}.libs",
    )
    package.parent.chmod(0o700)
    for module in (installation, layout):
        monkeypatch.setattr(
            module, "bundled_installation", lambda: package / installation.INSTALLATION
        )
    cluster = new_cluster(open_folder / "home of copied programs")
    cluster.start()
    server = psutil.Process(cluster.status().pid)
    assert Path(server.exe()).is_relative_to(OUTSIDE)
    assert cluster.status().data_directory.is_relative_to(cluster.home)
    assert stat.S_IMODE(package.parent.stat().st_mode) == 0o700
    outside = Path(server.exe()).parents[4]
    assert outside.parent == OUTSIDE
    cluster.destroy()
    assert not outside.exists()


@needs_root
def test_ordinary_user(open_folder: Path, python_of_everyone: Path) -> None:
    user = Account.unprivileged()
    folder = open_folder / "ordinary"
    folder.mkdir(mode=0o755)
    os.chown(folder, user.uid, user.gid)
    before = modes_of_parents(folder)
    program = """
import os, stat
from pathlib import Path
from granary.postgres.cluster import Cluster
from granary.postgres.connection import connect
from granary.postgres.processes import running_postmaster
cluster = Cluster(Path.home() / "checkout/.local")
cluster.start()
cluster.start()
with connect(cluster.admin, application_name="test") as connection:
    assert connection.execute("SELECT 1").fetchone() == (1,)
data = cluster.status().data_directory
assert data == Path.home() / "checkout/.local/postgres/data"
assert running_postmaster(data).process.uids().effective == os.geteuid() != 0
os.kill(cluster.status().pid, 9)
cluster.start()
cluster.stop()
assert stat.S_IMODE(data.parent.stat().st_mode) == 0o700
cluster.destroy()
print("all well")
"""
    options = user.process_options()
    search_path = os.pathsep.join([str(PROJECT), *filter(None, sys.path)])
    options["env"] |= {"HOME": str(folder), "PYTHONPATH": search_path}
    result = subprocess.run(
        [python_of_everyone, "-c", program], cwd="/", capture_output=True, text=True, **options
    )
    if "No module named 'granary'" in result.stderr:
        pytest.skip(f"an unprivileged user cannot read {PROJECT}")
    assert result.stdout == "all well\n", result.stderr
    assert modes_of_parents(folder) == before


def test_password_is_needed_and_there_is_no_socket(shared_cluster: Cluster) -> None:
    admin = shared_cluster.admin
    for password in ("", "postgres", "wrong"):
        with pytest.raises(GranaryError, match="refused the password of user postgres"):
            answer(replace(admin, password=password), "SELECT 1")
    assert answer(admin, "SHOW unix_socket_directories") == ""
    assert answer(admin, "SHOW listen_addresses") == "127.0.0.1"
    assert (
        answer(admin, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules")
        == "scram-sha-256"
    )


def test_secrets_and_data_stay_out_of_logs_and_reprs(shared_cluster: Cluster) -> None:
    admin = shared_cluster.admin
    with connect(admin, application_name="test", autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE patients (name TEXT PRIMARY KEY)")
        connection.execute("INSERT INTO patients VALUES ('Jane Roe')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO patients VALUES ('Jane Roe')")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT 'Jane Roe'::INTEGER")
    log = (shared_cluster.home / "postgres/server.log").read_text()
    assert "ready to accept connections" in log
    assert "Jane Roe" not in log
    for text in (repr(admin), str(admin), log):
        assert admin.password not in text
    assert admin.password in admin.conninfo()


def test_server_fits_what_was_promised(shared_cluster: Cluster) -> None:
    admin = shared_cluster.admin
    promised = {
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "autovacuum": "on",
        "jit": "off",
        "random_page_cost": "1.1",
    }
    assert {name: answer(admin, f"SHOW {name}") for name in promised} == promised
    assert answer(admin, "SELECT upper('é') || (('a' < 'B')::TEXT)") == "Éfalse"
    assert answer(admin, "SELECT COUNT(*) FROM pg_file_settings WHERE error IS NOT NULL") == 0


def test_reason_why_it_does_not_start_is_told(tmp_path: Path, new_cluster: NewCluster) -> None:
    cluster = new_cluster(tmp_path / "home")
    cluster.start()
    cluster.stop()
    with (cluster.status().data_directory / "postgresql.conf").open("a") as file:
        file.write("\nshared_bufers = 1GB\n")
    with pytest.raises(GranaryError, match='unrecognized configuration parameter "shared_bufers"'):
        cluster.start()
    assert not cluster.status().running


def test_data_of_another_version_is_refused(tmp_path: Path, new_cluster: NewCluster) -> None:
    cluster = new_cluster(tmp_path / "home")
    cluster.start()
    cluster.stop()
    (cluster.status().data_directory / "PG_VERSION").write_text("17\n")
    with pytest.raises(GranaryError, match="was written by PostgreSQL 17; this is 18"):
        cluster.start()


def test_set_up_cut_short_is_done_again(
    tmp_path: Path, new_cluster: NewCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    cluster = new_cluster(tmp_path / "home")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", die)
        with pytest.raises(Killed):
            cluster.start()
    assert not cluster.status().running
    cluster.start()
    assert answer(cluster.admin, "SELECT 1") == 1


def test_lost_and_damaged_passwords(open_folder: Path, new_cluster: NewCluster) -> None:
    cluster = new_cluster(open_folder / "forgetful")
    cluster.start()
    cluster.stop()
    record = cluster.home / "postgres.json"
    content = record.read_text()
    record.unlink()
    with pytest.raises(GranaryError, match="with its passwords is gone"):
        cluster.start()
    record.write_text(content.replace('"roles"', "roles"))
    with pytest.raises(GranaryError, match="is damaged") as failure:
        cluster.start()
    assert failure.value.__cause__ is None
    record.write_text(content)
    cluster.start()
    assert answer(cluster.admin, "SELECT 1") == 1


@pytest.fixture
def small_disk(open_folder: Path) -> Iterator[Path]:
    """A disk of 24 MB; a new database needs 40."""
    folder = open_folder / "small disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs", str(folder)]
    if not is_root or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk takes root, and a container that allows it")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GranaryError, match="MB of free disk space; a new database needs 200 MB"):
        Cluster(small_disk / "home").start()
    monkeypatch.setattr(initialise_module, "DISK_NEEDED", 0)
    with pytest.raises(GranaryError, match="because the disk is full"):
        Cluster(small_disk / "home").start()


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GranaryError, match=r"could not be started: .*Not a directory"):
        Cluster(tmp_path / "file/home").start()
