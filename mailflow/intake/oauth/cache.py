"""The file in which an account's tokens lie: private, whole or not there, one writer at a time."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from mailflow.intake.oauth.trouble import TokenUnavailable
from mailflow.model.errors import BadConfig

_LARGEST = 1_048_576
_AHEAD = timedelta(minutes=5)
_LOOK = 0.05
_FIELDS = ("owner", "access", "issued", "expires", "keep")


@dataclass(frozen=True, slots=True)
class Record:
    """An access token with its life. ``owner`` says which settings it was made for; ``keep`` is what the next one is made of."""

    owner: str
    access: str = field(repr=False)
    issued: datetime
    expires: datetime
    keep: str = field(repr=False)

    def is_good(self, now: datetime) -> bool:
        """Whether it needs no renewal yet: at least 5 minutes and a sixth of its life are left."""
        ahead = max(_AHEAD, (self.expires - self.issued) / 6)
        # A token of tomorrow is one from before the clock was set right; how long it really lives nobody knows.
        return self.issued - _AHEAD <= now <= self.expires - ahead

    def lives(self, now: datetime) -> bool:
        """Whether the server should still take it."""
        return now < self.expires


@dataclass(frozen=True, slots=True)
class CacheFile:
    """The tokens of one account: ``folder``/``name``.json, mode 600, in a folder of mode 700."""

    folder: Path
    name: str

    @property
    def path(self) -> Path:
        """Where the tokens lie."""
        return self.folder / f"{self.name}.json"

    def read(self) -> Record | None:
        """What was kept; None if there is nothing, or nothing whole. Raises BadConfig if others can read it, or we cannot."""
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreachable(self.path, error) from None
        with os.fdopen(handle, "rb") as file:
            # The open file is asked, not its name: a name can be given to another file in between.
            if os.fstat(handle).st_mode & 0o077:
                raise BadConfig(f"{self.path} holds tokens and can be read by others; chmod 600 {self.path}")
            return _parsed(file.read(_LARGEST))

    def write(self, record: Record) -> None:
        """Replaces what was kept, whole or not at all; only within ``locked()``. Raises OSError."""
        data = {name: getattr(record, name) for name in _FIELDS}
        text = json.dumps(data, default=datetime.isoformat).encode()
        # Always the same name: what a killed process left is overwritten by the next, and no secret stays behind.
        new = self.folder / f".{self.name}.new"
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o600)
            file.write(text)
            file.flush()
            os.fsync(handle)
        new.replace(self.path)
        _sync(self.folder)

    @contextmanager
    def locked(self, patience: float) -> Iterator[None]:
        """Alone among all processes and threads. Raises BadConfig; TokenUnavailable after ``patience`` seconds of waiting."""
        lock = self.folder / f"{self.name}.lock"
        try:
            self._make_folder()
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise self._unreachable(lock, error) from None
        try:
            self._wait(handle, patience)
            yield
        finally:
            os.close(handle)

    def _wait(self, handle: int, patience: float) -> None:
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise TokenUnavailable(f"account {self.name!r}: another process has held the tokens' lock for long") from None
                time.sleep(_LOOK)
            else:
                return

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.folder.stat().st_mode & 0o077:
            raise BadConfig(f"{self.folder} is for tokens only, and open to others; chmod 700 {self.folder}")

    def _unreachable(self, path: Path, error: OSError) -> BadConfig:
        return BadConfig(
            f"{path} cannot be used ({error.strerror}); it must belong to the user that runs mailflow: "
            f"run `mailflow oauth login {self.name}` as that user, or chown it"
        )


def _parsed(text: bytes) -> Record | None:
    try:
        data = json.loads(text)
        owner, access, issued, expires, keep = (data[name] for name in _FIELDS)
        record = Record(owner, access, datetime.fromisoformat(issued), datetime.fromisoformat(expires), keep)
    except (ValueError, LookupError, TypeError):
        return None
    texts = all(isinstance(part, str) for part in (owner, access, keep))
    return record if texts and record.issued.tzinfo and record.expires.tzinfo else None


def _sync(folder: Path) -> None:
    """Makes a rename last (the folder's own fsync)."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
