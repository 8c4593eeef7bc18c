"""The posts that a leader keeps; and what the duty planner does: publishes two weeks, and has begun with the next."""

from datetime import date

from infra.reference import cast, week
from infra.reference.door import Door, Json
from infra.stage.players import NOT_HEARD_YET, Players


class Duties:
    """The posts and the rosters."""

    def __init__(self, players: Players) -> None:
        self._players = players

    def publish(self) -> None:
        """A leader says which posts there are, and whom they entrust with rights; the planner publishes two weeks."""
        planner = self._players.as_(cast.DUTY_PLANNER)
        posts = self._posts()
        for monday in week.PUBLISHED:
            if (roster := self._fill(planner, posts, monday))["state"] == "draft":
                body = {"version": roster["version"], "free_assignments": False}
                planner.post(f"/duty/rosters/{monday}/publication", body, once=f"publication {monday} {roster['version']}")

    def draft(self) -> None:
        """The week after those, as far as the planner has come."""
        planner = self._players.as_(cast.DUTY_PLANNER)
        self._fill(planner, self._posts(), week.DRAFT)

    def are_complete(self) -> bool:
        """Whether all was played: the draft is made last."""
        return bool(self._players.as_(cast.DUTY_PLANNER).get(f"/duty/rosters/{week.DRAFT}")["state"] != "none")

    def _posts(self) -> dict[str, str]:
        leader = self._players.as_(cast.LEADER)
        known = {post["name"]: post["id"] for post in leader.get("/duty/posts")["items"]}
        departments = {row["name"]: row["id"] for row in leader.get("/personnel/departments", page_size=100)["items"]}
        for place, post in enumerate(week.POSTS):
            if post.name not in known:
                body = {
                    "name": post.name,
                    "starts_at_time": post.starts_at_time,
                    "hours": post.hours,
                    "head_count": post.head_count,
                    "gives_rights": post.gives_rights,
                    "counted_hours": post.counted_hours,
                    "rest_hours": post.rest_hours,
                    "pool_departments": [departments[post.pool_department]] if post.pool_department else [],
                    "pool_people": [] if post.pool_department else [self._players.ids[name] for name in post.people],
                    "place_in_list": place,
                }
                known[post.name] = leader.post("/duty/posts", body, once=f"post {post.name}", patient=NOT_HEARD_YET)["id"]
        return known

    def _fill(self, planner: Door, posts: dict[str, str], monday: date) -> Json:
        roster = planner.get(f"/duty/rosters/{monday}")
        if roster["state"] != "none":
            return roster
        slots = [
            {"post_id": posts[one.post], "on": one.on.isoformat(), "place": one.place, "person_id": self._players.ids[one.person]}
            for one in week.places(monday)
        ]
        return planner.put(f"/duty/rosters/{monday}/slots", {"version": roster["version"], "slots": slots}, patient=NOT_HEARD_YET)
