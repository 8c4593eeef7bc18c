"""Supervision and the one command: a death is repaired, Ctrl-C leaves nothing behind, and what cannot be is said in one sentence."""

import errno
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.folder import CannotStart, free_port, said
from infra.local import claim
from infra.postgres import cause
from infra.servers import is_alive
from infra.wish import PROJECT, wish

House = Callable[[str], tuple[subprocess.Popen[str], dict[str, Any]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "with space"


@pytest.fixture
def house(folder: Path) -> Iterator[House]:
    """Starts the tiny house in its own process; what a test left running is killed."""
    begun: list[subprocess.Popen[str]] = []

    def begin(way: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        command = [sys.executable, "-m", "tests.system.tiny_house", str(folder), way]
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=(folder.parent / "log").open("a"), text=True)
        begun.append(process)
        assert process.stdout
        line = process.stdout.readline()
        assert line, (folder.parent / "log").read_text()
        return process, json.loads(line)

    yield begin
    for process in begun:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def ask(port: int, path: str = "/") -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def soon(check: Callable[[], Any], seconds: float = 8) -> Any:
    """The first answer that is true; nothing here has a fixed pause."""
    until = time.monotonic() + seconds
    while True:
        try:
            if answer := check():
                return answer
        except OSError:
            pass
        assert time.monotonic() < until, "not in time"
        time.sleep(0.02)


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


def gone(pids: Iterable[int]) -> None:
    soon(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_ctrl_c_ends_everything_cleanly_also_with_an_open_stream(house: House, folder: Path, way: str) -> None:
    process, told = house(way)
    answers = {name: ask(told[name]) for name in ("first", "second")}
    assert {name: answer["name"] for name, answer in answers.items()} == {"first": "first", "second": "second"}
    assert all(answer["session"] == answer["pid"] for answer in answers.values())  # the terminal's Ctrl-C does not reach them
    stream = socket.create_connection(("127.0.0.1", told["second"]))
    stream.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    assert stream.recv(10)

    began = time.monotonic()
    process.send_signal(signal.SIGINT)

    assert process.wait(12) == 0
    assert time.monotonic() - began < 8
    stream.close()
    assert not any(is_alive(pid) for pid in (*told["pids"].values(), *(answer["pid"] for answer in answers.values())))
    assert not (folder / "processes.json").exists()
    assert "first" in (folder.parent / "log").read_text()


def test_a_child_that_dies_comes_back_whoever_it_is(house: House, folder: Path) -> None:
    process, told = house("fork")
    before = ask(told["first"])["pid"]
    with pytest.raises(OSError):
        ask(told["first"], "/crash")
    assert soon(lambda: ask(told["first"])["pid"] not in (None, before))
    assert ask(told["second"])["name"] == "second"

    for name in ("postgres", "nats"):
        os.kill(told["pids"][name], signal.SIGKILL)
    log = folder.parent / "log"
    soon(lambda: all(f"{name} runs again" in log.read_text() for name in ("postgres", "nats")))
    socket.create_connection(("127.0.0.1", told["database"]), timeout=1).close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(12) == 0


def test_after_kill_9_of_the_parent_nothing_lives_on_and_the_next_start_is_clean(house: House) -> None:
    process, told = house("fork")
    pids = [*told["pids"].values(), ask(told["first"])["pid"], ask(told["second"])["pid"]]
    process.kill()
    process.wait()
    gone(pids)

    again, told_again = house("fork")

    assert ask(told_again["first"])["pid"] not in pids
    assert told_again["first"] == told["first"]
    again.send_signal(signal.SIGTERM)
    assert again.wait(12) == 0


def test_kill_9_of_the_whole_tree_and_the_next_start_is_clean(house: House) -> None:
    process, told = house("fork")
    for pid in (process.pid, *told["pids"].values(), ask(told["first"])["pid"], ask(told["second"])["pid"]):
        os.kill(pid, signal.SIGKILL)
    process.wait()

    again, told_again = house("fork")

    assert ask(told_again["second"])["name"] == "second"
    again.send_signal(signal.SIGTERM)
    assert again.wait(12) == 0


def test_a_nats_whose_store_was_removed_begins_anew(house: House, folder: Path) -> None:
    process, told = house("fork")
    shutil.rmtree(folder / "nats" / "store")

    gone([told["pids"]["nats"]])

    soon((folder / "nats" / "store").exists)
    assert "what it stored was removed" in (folder.parent / "log").read_text()
    process.send_signal(signal.SIGINT)
    assert process.wait(12) == 0


def test_a_second_ctrl_c_does_not_wait(house: House) -> None:
    process, told = house("fork")
    stream = socket.create_connection(("127.0.0.1", told["second"]))
    stream.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    assert stream.recv(10)
    process.send_signal(signal.SIGINT)
    soon(lambda: refuses(told["second"]))  # it has begun to stop, and waits for the stream
    process.send_signal(signal.SIGINT)
    assert process.wait(2) == 130
    stream.close()
    gone(told["pids"].values())


def started(word: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The real command, which is expected to refuse before it starts anything."""
    command = [sys.executable, "-m", "infra.local", word]
    whole = {**os.environ, "DATA": str(folder), **env}
    return subprocess.run(command, cwd=PROJECT, env=whole, capture_output=True, text=True, timeout=30, check=False)


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_port_in_use_is_said_in_one_sentence(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"Port {port} is in use" in one_sentence(started("run", folder, PORT=str(port)))


def test_a_demo_never_becomes_real_nor_the_other_way_round(folder: Path) -> None:
    folder.mkdir()
    (folder / "kind").write_text("demo")
    assert "holds a demo and can never become a real system" in one_sentence(started("run", folder))
    (folder / "kind").write_text("real")
    assert "holds a real system and can never become a demo" in one_sentence(started("demo", folder))


def test_a_second_start_on_the_same_data_says_where_the_first_one_runs(folder: Path) -> None:
    lock = claim(wish("real", {"DATA": str(folder), "PORT": "8123"}))
    try:
        assert "runs already on these data: http://127.0.0.1:8123" in one_sentence(started("run", folder))
    finally:
        os.close(lock)


def test_a_folder_with_other_things_in_it_is_not_taken_over(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.doc").write_text("mine")
    assert "no data folder of Muster" in one_sentence(started("run", folder))


def test_a_full_or_read_only_disk_is_said_in_one_sentence() -> None:
    with pytest.raises(OSError) as full:
        Path("/dev/full").write_text("x")
    assert str(said(full.value, "/dev/full")) == "Cannot use /dev/full: the disk is full."
    assert "the disk is read-only" in str(said(OSError(errno.EROFS, ""), "/data"))
    assert cause('x\nFATAL:  could not write lock file "postmaster.pid": No space left on device\n') == "the disk is full"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A real little disk, where this machine lets us have one."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        place = tmp_path / f"disk {len(mounted)}"
        place.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, check=False).returncode != 0:
            pytest.skip("nothing can be mounted here")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", place], check=False)


def test_a_disk_that_is_full_or_read_only_stops_the_start_with_one_sentence(small_disk: Callable[[str], Path]) -> None:
    full = started("run", small_disk("size=12m") / "data", PORT=str(free_port()))
    read_only = started("run", small_disk("ro") / "data", PORT=str(free_port()))
    assert "the disk is full" in full.stderr.splitlines()[-1]
    assert "the disk is read-only" in one_sentence(read_only)
    assert (full.returncode, full.stdout) == (1, "")
    assert "Traceback" not in full.stderr


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("fork", "ends"), [("on", (signal.SIGKILL, signal.SIGINT)), ("off", (signal.SIGINT,))])
def test_the_one_command_prints_one_line_when_all_is_ready_and_finds_its_data_again(
    folder: Path, fork: str, ends: tuple[signal.Signals, ...]
) -> None:
    env = {**os.environ, "DATA": str(folder), "PORT": str(free_port()), "FORK": fork}
    setups = []
    for end in ends:
        with subprocess.Popen(
            [sys.executable, "-m", "infra.local", "run"], cwd=PROJECT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            assert process.stderr
            assert process.stdout.readline() == f"ready http://127.0.0.1:{env['PORT']}\n"
            setups.append(ask(int(env["PORT"]), "/api/v1/identity/setup"))
            pids = [int(pid) for pid in json.loads((folder / "processes.json").read_text())]
            assert len(pids) == 6
            process.send_signal(end)
            rest, log = process.communicate(timeout=30)
            assert rest == ""
            assert re.search(r"^identity +setup code: [0-9A-Z]{5}-", log, re.M)
            assert process.returncode == (0 if end is signal.SIGINT else -signal.SIGKILL), log
        gone(pids)
    assert setups[0] == setups[-1]
    assert setups[0]["needed"] is True
    assert setups[0]["demo"] is False
    assert (folder / "kind").read_text() == "real"


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"PORT": "eighty"}, "PORT must be a number"),
        ({"PORT": "0"}, "PORT must be a number"),
        ({"HOST": "0.0.0.0"}, "Health records do not travel unencrypted"),
        ({"HOST": "192.0.2.7", "PUBLIC_URL": "http://muster.example.org"}, "Health records do not travel unencrypted"),
        ({"PUBLIC_URL": "muster.example.org"}, "PUBLIC_URL must be an address"),
        ({"TLS_CERT": "/nowhere/cert.pem"}, "TLS_CERT and TLS_KEY belong together"),
        ({"TLS_CERT": "/nowhere/cert.pem", "TLS_KEY": "/nowhere/key.pem"}, "cannot be read"),
        ({"DATABASE_URL_FILE": "/nowhere/url"}, "DATABASE_URL_FILE cannot be read"),
    ],
)
def test_an_odd_wish_is_refused_in_one_sentence(env: dict[str, str], sentence: str) -> None:
    with pytest.raises(CannotStart, match=sentence):
        wish("real", env)


def test_only_the_demo_lets_phones_in_without_tls() -> None:
    wanted = wish("demo", {"HOST": "0.0.0.0", "PORT": "8000"})
    assert wanted.address == "http://127.0.0.1:8000"
    assert wanted.public_url.startswith("http://")
    assert "0.0.0.0" not in wanted.public_url
    assert wish("real", {"HOST": "0.0.0.0", "PUBLIC_URL": "https://muster.example.org/"}).public_url == "https://muster.example.org"
