"""The two servers really start and stop: as root, below a closed folder, in a path with spaces, after kill -9."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import nats
import pytest
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig

from infra.folder import CannotStart
from infra.nats import Nats
from infra.postgres import Postgres
from infra.servers import is_alive
from shared.messaging.streams import EVENTS, config_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name has what breaks shells, below pytest's own, which other users cannot enter."""
    return tmp_path / 'the data\'s "folder" 数据'


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_a_new_server_sorts_and_searches_chinese_and_wants_a_password(folder: Path) -> None:
    postgres = Postgres(folder, fsync=False)
    postgres.start()
    try:
        assert await ask(postgres.url(), "select current_user") == "muster"
        assert await ask(postgres.url(), "select rolsuper from pg_roles where rolname = current_user") is False
        assert await ask(postgres.url("postgres"), "select '张三' ~ '\\w' and lower('Ä') = 'ä'") is True
        assert await ask(postgres.url("postgres"), "show unix_socket_directories") == ""
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(postgres.url("muster", "wrong"), "select 1")
    finally:
        postgres.stop()
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in (folder / "secrets").iterdir())


@as_root
@pytest.mark.parametrize("way", ["namespace", "copy"])
async def test_root_below_a_closed_folder_runs_it_as_somebody_else(
    folder: Path, way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shelter = Path("/var/tmp") / f"muster-test-{os.getpid()}"
    shelter.mkdir(mode=0o755)
    monkeypatch.setattr("infra.place.SHELTER", shelter)
    try:
        postgres = Postgres(folder, fsync=False, as_root=way)
        postgres.start()
        assert postgres.place.name == way
        assert await ask(postgres.url(), "select 1") == 1
        postgres.stop()
        again = Postgres(folder, fsync=False)
        again.start()
        assert again.place.name == way
        again.stop()
    finally:
        shutil.rmtree(shelter)


@as_root
async def test_root_in_an_open_place_runs_it_as_nobody() -> None:
    open_place = Path("/var/tmp") / f"muster test {os.getpid()}"
    open_place.mkdir(mode=0o755)
    try:
        postgres = Postgres(open_place / "data", fsync=False, as_root="nobody")
        postgres.start()
        try:
            if postgres.place.name != "nobody":
                pytest.skip("nobody cannot reach the project here")
            assert postgres.process
            assert Path(f"/proc/{postgres.process.pid}").stat().st_uid == postgres.data.stat().st_uid != 0
            assert (open_place / "data" / "secrets").stat().st_mode & 0o777 == 0o700
        finally:
            postgres.stop()
    finally:
        shutil.rmtree(open_place)


async def test_after_kill_9_under_load_the_next_start_has_every_commit(folder: Path) -> None:
    postgres = Postgres(folder)
    postgres.start()
    connection = await asyncpg.connect(postgres.url())
    await connection.execute("create table filed (n int)")
    committed = 0
    for number in range(50):
        await connection.execute(f"insert into filed values ({number})")
        committed += 1
    assert postgres.process
    postgres.process.kill()

    postgres.start()

    assert await ask(postgres.url(), "select count(*) from filed") == committed
    postgres.stop()
    connection.terminate()


def test_a_server_left_over_by_a_killed_start_is_ended_and_a_foreign_process_is_not(folder: Path) -> None:
    left_over = Postgres(folder, fsync=False)
    left_over.start()
    first = left_over.process
    assert first
    heir = Postgres(folder, fsync=False)
    heir.start()
    assert first.wait(5) is not None
    heir.stop()

    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", str(folder)])
    try:
        (heir.data / "postmaster.pid").write_text(f"{stranger.pid}\n{heir.data}\n0\n0\n\n\n\nready\n")
        heir.start()
        assert stranger.poll() is None
        assert asyncio.run(ask(heir.url(), "select 1")) == 1
    finally:
        heir.stop()
        stranger.kill()
        stranger.wait()


def test_the_servers_end_with_whoever_started_them(folder: Path) -> None:
    script = (
        "import sys, os; from pathlib import Path; from infra.postgres import Postgres; from infra.nats import Nats\n"
        "p = Postgres(Path(sys.argv[1]), fsync=False); p.start(); n = Nats(Path(sys.argv[1]), {}); n.start()\n"
        "print(p.process.pid, n.process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    starter = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=False)
    pids = [int(pid) for pid in starter.stdout.split()]
    assert starter.returncode == -signal.SIGKILL
    assert len(pids) == 2
    for _ in range(100):
        if not any(is_alive(pid) for pid in pids):
            break
        time.sleep(0.05)
    assert not any(is_alive(pid) for pid in pids)


async def test_data_of_another_major_version_stop_the_start_with_one_sentence(folder: Path) -> None:
    postgres = Postgres(folder, fsync=False)
    postgres.start()
    postgres.stop()
    (postgres.data / "PG_VERSION").write_text("17\n")

    with pytest.raises(CannotStart, match="written by PostgreSQL 17, this is PostgreSQL 18"):
        postgres.start()


async def test_what_initdb_left_half_made_is_made_anew(folder: Path) -> None:
    postgres = Postgres(folder, fsync=False)
    half = postgres.place.home / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    postgres.start()
    assert await ask(postgres.url(), "select 1") == 1
    postgres.stop()


async def test_a_service_reads_through_its_own_consumers_only_and_the_stream_survives_kill_9(folder: Path) -> None:
    told: list[str] = []

    async def refused(error: Exception) -> None:
        told.append(str(error).lower())

    server = Nats(folder, {"identity": [("identity_people", "event.personnel.person.>")], "personnel": []})
    server.start()
    try:
        personnel = await nats.connect(server.url("personnel"), inbox_prefix=b"_INBOX_personnel", error_cb=refused)
        identity = await nats.connect(server.url("identity"), inbox_prefix=b"_INBOX_identity", error_cb=refused)
        await personnel.jetstream().add_stream(config_of(EVENTS))
        await personnel.jetstream().publish("event.personnel.person.joined", b"1")
        assert server.process
        server.process.kill()
        server.process.wait()
        server.start()
        js = identity.jetstream(timeout=2)
        for _ in range(10):  # a client notices the kill with its next request
            with contextlib.suppress(NatsError, TimeoutError):
                await js.stream_info("EVENTS")
                break
        own = ConsumerConfig(name="identity_people", durable_name="identity_people", ack_policy=AckPolicy.EXPLICIT)
        own.filter_subject = "event.personnel.person.>"
        await js.add_consumer("EVENTS", own)
        inbox = await js.pull_subscribe_bind(durable="identity_people", stream="EVENTS")
        message = (await inbox.fetch(1, timeout=2))[0]
        assert message.data == b"1"
        await message.ack_sync()

        own.filter_subject = "event.>"
        with pytest.raises((NatsError, TimeoutError)):
            await js.add_consumer("EVENTS", own)
        with pytest.raises((NatsError, TimeoutError)):
            await js.publish("event.personnel.person.joined", b"forged")
        assert any("permissions violation" in words for words in told)
        await personnel.close()
        await identity.close()
    finally:
        server.stop()
    assert server.password("identity") not in (folder / "nats" / "nats.conf").read_text()
