"""Throws made-up requests at the API of a throwaway demo; a 5xx, or an answer that the document does not promise, is a failure.

`python -m infra.fuzz --seconds 60`; the same seed makes the same requests. The last line is "N passed, N failed", counted in operations.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx

PROJECT = Path(__file__).resolve().parent.parent
SEED = 20210804
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
LEFT_OUT = {
    "/identity/demo/clock": "a clock that jumps about ends the API key in the middle of the run",
}
SCOPES = ["people:read", "people:write", "vaccination:read", "vaccination:write", "coverage:read"]
LEAST_SECONDS = 15
START_SECONDS = 180


class Failed(Exception):
    """Carries one clear sentence."""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """A demo of its own in `folder`, as the one command starts it; answers its address."""
    port = _free_port()
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "NATS_URL", "HOST", "PUBLIC_URL")}
    env |= {"PORT": str(port), "DATA": str(folder / "demo"), "PYTHONPATH": str(PROJECT)}
    log = folder / "demo.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "infra.local", "demo"], cwd=PROJECT, env=env, stdout=out, stderr=out, start_new_session=True
        )
        try:
            until = time.monotonic() + START_SECONDS
            while f"ready http://127.0.0.1:{port}" not in log.read_text(errors="replace"):
                if child.poll() is not None or time.monotonic() > until:
                    raise Failed(f"the demo did not start:\n{log.read_text(errors='replace')[-3000:]}")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            child.send_signal(signal.SIGINT)
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()


def principals(address: str) -> dict[str, str]:
    """Who asks, as the Authorization header that says so: health records, the administrator, and a system with every scope."""
    with httpx.Client(base_url=f"{address}/api/v1", timeout=30, trust_env=False) as http:

        def ask(method: str, path: str, who: str = "", body: Any = None) -> Any:
            answer = http.request(method, path, headers={"authorization": who} if who else {}, json=body)
            if answer.status_code >= 400:
                raise Failed(f"{method} {path}: {answer.status_code} {answer.text}")
            return answer.json()

        cast = {one["role"]: one["person_id"] for one in ask("GET", "/identity/demo/cast")["items"]}
        secrets = {
            role: "Session " + ask("POST", "/identity/demo/sessions", body={"person_id": cast[role], "kind": "phone"})["secret"]
            for role in ("health", "administrator")
        }
        wish = {"name": "fuzz", "scopes": SCOPES, "expires_on": "2022-07-31"}
        client = ask("POST", "/identity/clients", secrets["administrator"], wish)
        ask("POST", f"/identity/clients/{client['id']}/keys", secrets["administrator"], {})
        shown = next(one for one in ask("GET", "/identity/clients", secrets["health"])["items"] if one["id"] == client["id"])
        verdict = {"verdict": "approved", "version": shown["version"]}
        approved = ask("POST", f"/identity/clients/{client['id']}/approval", secrets["health"], verdict)
        key = approved["keys"][0]["key"]  # the scopes need a second person, to whom alone it is shown
        found = {"API key": f"Bearer {key}", **secrets}  # the administrator last, who may well end the key and the sessions
        for authorization in found.values():
            ask("GET", "/personnel/departments", authorization)
        return found


def is_let_in(address: str, authorization: str) -> bool:
    """Whether the key or session is still worth something: a share that was spent before a shut door is none."""
    asked = f"{address}/api/v1/personnel/departments"
    return httpx.get(asked, headers={"authorization": authorization}, timeout=30, trust_env=False).status_code == 200


def throw(address: str, who: str, authorization: str, seconds: int, seed: int, folder: Path) -> tuple[int, int, str]:
    """One principal's share of the time: how many operations passed, how many failed, and what was said."""
    report = folder / f"{who.replace(' ', '-')}.xml"
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", f"{address}/api/v1/openapi.json", "--url", f"{address}/api/v1"),
        *("--header", f"Authorization: {authorization}", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing"),
        *("--max-time", str(seconds), "--seed", str(seed), "--workers", "1", "--continue-on-failure", "--no-color"),
        *("--generation-database", "none", "--warnings", "off", "--suppress-health-check", "all", "--request-timeout", "20"),
        *("--report", "junit", "--report-junit-path", str(report)),
    ]
    for path in LEFT_OUT:
        command += ["--exclude-path", path]
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, errors="replace", check=False)
    words = done.stdout + done.stderr
    if not report.exists():
        raise Failed(f"as {who} nothing was thrown:\n{words[-3000:]}")
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    bad = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    skipped = sum(1 for case in cases if case.find("skipped") is not None)
    if done.returncode != 0:
        bad = max(bad, 1)
    return max(len(cases) - bad - skipped, 0), bad, words


def main(arguments: Sequence[str]) -> int:
    """0 when every operation answered what the document promises."""
    wish = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    wish.add_argument("--seconds", type=int, default=60, help="how long requests are thrown, all principals together")
    wish.add_argument("--seed", type=int, default=SEED)
    given = wish.parse_args(arguments)
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="muster-fuzz-") as name:
        folder = Path(name)
        try:
            with demo(folder) as address:
                found = principals(address)
                share = max(given.seconds // len(found), LEAST_SECONDS)
                for who, authorization in found.items():
                    good, bad, words = throw(address, who, authorization, share, given.seed, folder)
                    passed, failed = passed + good, failed + bad
                    print(f"fuzz: as {who} for {share} s, seed {given.seed}: {good} operations passed, {bad} failed", flush=True)
                    if bad:
                        print(words, flush=True)
                    if not is_let_in(address, authorization):
                        if who != "administrator":
                            raise Failed(f"{who} was shut out in the middle of the run, so little was tried")
                        print("fuzz: the administrator shut themselves out on the way, which is their right", flush=True)
        except Failed as sentence:
            print(f"fuzz: {sentence}")
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
