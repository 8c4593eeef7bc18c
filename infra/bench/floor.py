"""The floor: one bare FastAPI route, to which every figure is held."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def bare() -> dict[str, bool]:
    """The least that an answer costs."""
    return {"ok": True}
