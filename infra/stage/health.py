"""What health records enters by hand beside the staff list, and what people report in their own record."""

from infra.reference import cast, history
from infra.reference import deployment as plan
from infra.reference.door import Json
from infra.stage.players import Players


def dose(players: Players) -> None:
    """Doses of tetanus, of those who go into a flood: they are on no staff list."""
    health, ids = players.as_(cast.HEALTH_RECORDS), players.ids
    for name, given in plan.tetanus_doses().items():
        body = {
            "person_id": ids[name],
            "programme": "tetanus",
            "product": given.product,
            "given_on": given.given_on.isoformat(),
            "lot": given.lot,
            "place": given.place,
        }
        health.post("/personnel/doses", body, once=f"tetanus {name}")


def correct(players: Players) -> None:
    """A lot number that was typed wrong on the staff list."""
    health, ids = players.as_(cast.HEALTH_RECORDS), players.ids
    for correction in history.CORRECTIONS:
        record = health.get(f"/personnel/people/{ids[correction.name]}/health")
        programme = next(one for one in record["programmes"] if _code(one["programme"]) == history.PROGRAMME)
        standing = [dose for dose in programme["doses"] if not dose["superseded"]]
        dose = sorted(standing, key=lambda one: str(one["given_on"]))[correction.dose - 1]
        if dose["lot"] != correction.lot:
            body = {"lot": correction.lot, "note": correction.note}
            health.post(f"/personnel/doses/{dose['id']}/corrections", body, once=f"correction {correction.name}")


def _code(programme: Json) -> str:
    return str(programme["code"] if isinstance(programme, dict) else programme)


def exempt(players: Players) -> None:
    """Certificates: health records enters them, a leader or the second person decides; one still waits."""
    health, ids = players.as_(cast.HEALTH_RECORDS), players.ids
    for exemption in history.EXEMPTIONS:
        body = {
            "person_id": ids[exemption.name],
            "programme": history.PROGRAMME,
            "kind": exemption.kind,
            "from_on": exemption.from_on.isoformat(),
            "until_on": exemption.until_on and exemption.until_on.isoformat(),
            "issuer": exemption.issuer,
            "certificate": True,
            "reason": exemption.reason,
        }
        made = health.post("/personnel/exemptions", body, once=f"exemption {exemption.name} {exemption.from_on}")
        if exemption.decided_by:
            path = f"/personnel/exemptions/{made['id']}/approval"
            players.as_(exemption.decided_by).post(path, {"verdict": "approved"}, once=f"approval {exemption.name} {exemption.from_on}")


def state(players: Players) -> None:
    """What people without a full series said."""
    health, ids = players.as_(cast.HEALTH_RECORDS), players.ids
    for statement in history.STATEMENTS:
        body = {
            "person_id": ids[statement.name],
            "programme": history.PROGRAMME,
            "kind": statement.kind,
            "on": statement.on.isoformat(),
            "note": statement.note,
        }
        health.post("/personnel/statements", body, once=f"statement {statement.name}")


def remark(players: Players) -> None:
    """An error that a person reports in the own record, waiting for an answer."""
    for one in history.REMARKS:
        players.as_(one.name).post("/personnel/remarks", {"about": one.about, "text": one.text}, once=f"remark {one.name}")
