"""`make containers`: what docker-compose.yml reads (passwords, keys, addresses, the users of NATS), made once into .containers/."""

from pathlib import Path

from infra.folder import new_password, private_folder, secret, write_private
from infra.local import SERVICES, Imports, consumers_in, token_keys
from infra.nats import OTHER_USERS, nats_config
from infra.wish import PROJECT


def write(folder: Path) -> None:
    """Secrets that are there stay; addresses and the users of NATS follow the code."""
    private_folder(folder)
    token_keys(folder)
    imports = Imports([f"services.{name}.app:app" for name in SERVICES])
    imports.start()
    consumers = consumers_in(imports.result())
    owner = secret(folder, "postgres-muster", new_password)
    texts = {"database-url-owner": f"postgresql://muster:{owner}@postgres:5432/muster"}
    for name in SERVICES:
        texts[f"database-url-{name}"] = f"postgresql://{name}:{secret(folder, f'postgres-{name}')}@postgres:5432/muster"
    passwords = {user: secret(folder, f"nats-{user}") for user in (*SERVICES, *OTHER_USERS)}
    for user, word in passwords.items():
        texts[f"nats-url-{user}"] = f"nats://{user}:{word}@nats:4222"
    texts["nats.conf"] = nats_config(
        consumers, listen="0.0.0.0:4222", store=Path("/data/jetstream"), passwords=passwords, health="127.0.0.1:8222"
    )
    for name, text in texts.items():
        write_private(folder / "secrets" / name, text)
    for path in (folder / "secrets").iterdir():
        path.chmod(0o644)  # each container reads its own as an ordinary user; on this machine the folder above is closed to others
    print(f"written: {folder / 'secrets'}")


if __name__ == "__main__":
    write(PROJECT / ".containers")
