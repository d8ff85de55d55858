"""Leases: one process at a time does a job that must not be done twice; and what the store knows of itself."""

import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mailflow.store.schema import facts, leases


def take(tx: Connection, name: str, owner: str, now: datetime, length: timedelta) -> bool:
    """Takes or renews a lease; False when somebody else holds it."""
    renewed = tx.execute(
        sa.update(leases)
        .where(leases.c.name == name, sa.or_(leases.c.owner == owner, leases.c.until < now))
        .values(owner=owner, until=now + length)
    )
    if renewed.rowcount:
        return True
    if tx.execute(sa.select(leases.c.name).where(leases.c.name == name)).first():
        return False
    try:
        with tx.begin_nested():
            tx.execute(sa.insert(leases).values(name=name, owner=owner, until=now + length))
    except sa.exc.IntegrityError:
        return False
    return True


def give_back(tx: Connection, name: str, owner: str) -> None:
    """Ends a lease early."""
    tx.execute(sa.delete(leases).where(leases.c.name == name, leases.c.owner == owner))


def release(tx: Connection, owner: str) -> None:
    """Ends all leases of a process that died."""
    tx.execute(sa.delete(leases).where(leases.c.owner == owner))


def secret(tx: Connection) -> bytes:
    """The store's own 256-bit secret, made when it is first asked for."""
    found = tx.execute(sa.select(facts.c.value).where(facts.c.name == "secret")).scalar()
    if found is None:
        found = secrets.token_hex(32)
        tx.execute(sa.insert(facts).values(name="secret", value=found))
    return bytes.fromhex(found)


def fact(tx: Connection, name: str) -> str | None:
    """One thing the store knows of itself."""
    return tx.execute(sa.select(facts.c.value).where(facts.c.name == name)).scalar()


def note(tx: Connection, name: str, value: str) -> None:
    """Writes or overwrites one thing the store knows of itself."""
    if not tx.execute(sa.update(facts).where(facts.c.name == name).values(value=value)).rowcount:
        tx.execute(sa.insert(facts).values(name=name, value=value))
