"""A whole house in a temporary folder, two replicas of each service and of the gateway; every process can be killed and comes again."""

import asyncio
import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from infra.folder import free_port
from infra.nats import Nats
from infra.postgres import Postgres
from infra.wish import PROJECT
from shared.migrate import SERVICES, migrate
from shared.service import consumers_of

REPLICAS = 2
PROCESSES = (*SERVICES, "gateway")


class House:
    """PostgreSQL, NATS, and the services' processes."""

    def __init__(self, folder: Path) -> None:
        self.postgres = Postgres(folder)
        apps = {name: importlib.import_module(f"services.{name}.app").app for name in SERVICES}
        self.nats = Nats(folder, {name: consumers_of(app) for name, app in apps.items()})
        self.replicas: dict[str, subprocess.Popen[bytes]] = {}
        self.ports = {f"{service}-{number}": free_port() for service in PROCESSES for number in range(REPLICAS)}
        self.log = (folder / "services.log").open("ab")
        key = Ed25519PrivateKey.generate()
        self._keys = {
            "TOKEN_PRIVATE_KEY": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "TOKEN_PUBLIC_KEY": key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        }

    def start(self) -> None:
        """Everything runs when this returns, or soon after."""
        self.postgres.start()
        asyncio.run(migrate(self.postgres.url(), {name: self.postgres.password(name) for name in SERVICES}))
        self.nats.start()
        for replica in self.ports:
            self._begin(replica)

    def _begin(self, replica: str) -> None:
        service, _, number = replica.partition("-")
        env = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(PROJECT),
            **({"DATABASE_URL": self.postgres.url(service)} if service in SERVICES else self._behind(number)),
            "NATS_URL": self.nats.url(service),
            "DEMO": "true",
            "LOG_LEVEL": "warning",
            **self._keys,
        }
        target = f"services.{service}.app:app" if service in SERVICES else f"{service}.app:app"
        command = [sys.executable, "-m", "uvicorn", target, "--port", str(self.ports[replica]), "--no-access-log"]
        self.replicas[replica] = subprocess.Popen(command, cwd=PROJECT, env=env, stdout=self.log, stderr=self.log)

    def _behind(self, number: str) -> dict[str, str]:
        """Where a gateway finds the services: each gateway has replicas of its own, so that one who asks again elsewhere meets others."""
        return {f"{service.upper()}_URL": f"http://127.0.0.1:{self.ports[f'{service}-{number}']}" for service in SERVICES}

    def doors(self, service: str) -> list[str]:
        """The addresses of a service, one a replica."""
        return [f"http://127.0.0.1:{port}" for replica, port in self.ports.items() if replica.startswith(f"{service}-")]

    @property
    def kinds(self) -> list[str]:
        """Whatever can be killed."""
        return [*PROCESSES, "nats", "postgres"]

    def of(self, kind: str) -> list[str]:
        """The processes of a kind."""
        return [replica for replica in self.replicas if replica.startswith(f"{kind}-")] or [kind]

    def kill(self, victim: str, *, and_its_store: bool = False) -> None:
        """kill -9, and a fresh start."""
        if victim in self.replicas:
            process = self.replicas[victim]
            process.send_signal(signal.SIGKILL)
            process.wait()
            self._begin(victim)
            return
        server = self.nats if victim == "nats" else self.postgres
        assert server.process is not None
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        if and_its_store:
            shutil.rmtree(self.nats.home / "store", ignore_errors=True)
        server.start()

    def watch(self) -> None:
        """A replica that gave up by itself, because its store was away when it began, is started again."""
        for replica, process in list(self.replicas.items()):
            if process.poll() is not None:
                self._begin(replica)

    def stop(self) -> None:
        """Everything ends."""
        for process in self.replicas.values():
            process.terminate()
        until = time.monotonic() + 8
        for process in self.replicas.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.nats.stop()
        self.postgres.stop()
        self.log.close()
