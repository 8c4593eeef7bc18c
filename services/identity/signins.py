"""Sign-ins: who came in and who was turned away, for the administrator and for each about themselves."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field
from sqlalchemy import ColumnElement, func, select

from services.identity.reads import names_of
from services.identity.tables import SignIn
from shared.auth import Caller, require
from shared.db import Read
from shared.service import Slice
from shared.story import example_id
from shared.web import Listed, PageNo, PageSize, Shown

signins = Slice(prefix="/signins", tags=["sign-ins"])


class SignInShown(Shown):
    """One sign-in; `outcome` is in, activated, demo, wrong, locked or left."""

    id: UUID
    at: datetime
    account_id: UUID | None
    name: str | None
    outcome: str = Field(examples=["in"])
    kind: str = Field(examples=["desk"])
    device: str = Field(examples=["Firefox"])
    address: str = Field(examples=["192.0.2.17"])


@signins.get("")
async def list_sign_ins(
    caller: Annotated[Caller, require("sign_in.read")],
    read: Read,
    account_id: Annotated[UUID | None, Query(description="Only those of one account", examples=[example_id("account")])] = None,
    failed: Annotated[bool | None, Query(description="true: only those turned away")] = None,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> Listed[SignInShown]:
    """Sign-ins, the latest first: all of them for the administrator, one's own for everybody else."""
    which: list[ColumnElement[bool]] = [SignIn.account_id == account_id] if account_id else []
    if failed is not None:
        let_in = SignIn.outcome.in_(("in", "activated", "demo"))
        which.append(~let_in if failed else let_in)
    total = await read.scalar(select(func.count()).select_from(SignIn).where(*which))
    rows = (
        await read.scalars(
            select(SignIn).where(*which).order_by(SignIn.at.desc(), SignIn.id.desc()).offset((page - 1) * page_size).limit(page_size)
        )
    ).all()
    names = await names_of(read, [row.account_id for row in rows])
    items = [
        SignInShown(
            id=row.id,
            at=row.at,
            account_id=row.account_id,
            name=names.get(row.account_id) if row.account_id else None,
            outcome=row.outcome,
            kind=row.kind,
            device=row.device,
            address=row.address,
        )
        for row in rows
    ]
    return Listed(items=items, total=total or 0, page=page, page_size=page_size)
