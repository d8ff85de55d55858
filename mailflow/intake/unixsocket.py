"""A unix socket at a path: made with its mode, held by one process at a time, replaced when stale, removed at the end."""

import contextlib
import errno
import fcntl
import os
import socket
import stat
from pathlib import Path

from mailflow.model.errors import BadConfig

_LONGEST = 107
"""Bytes of a path that the kernel takes."""


class UnixPlace:
    """The place of a unix socket. Whoever holds the lock beside it may listen there; a process that dies gives it up."""

    def __init__(self, path: Path, mode: int) -> None:
        self._path = path
        self._mode = mode
        self._lock: int | None = None
        self._made: tuple[int, int] | None = None

    def claim(self) -> socket.socket | None:
        """A bound socket, ``None`` while another process of ours has the place. Raises BadConfig where there can be none."""
        if len(os.fsencode(self._path)) > _LONGEST:
            raise BadConfig(f"lmtp.listen: {self._path} is longer than {_LONGEST} bytes; choose a shorter path")
        try:
            if not self._locked():
                return None
            return self._bound()
        except OSError as error:
            self.leave()
            reason = f"cannot listen on {self._path}: {error.strerror}"
            raise BadConfig(f"lmtp.listen: {reason}; the folder must exist and be writable for mailflow") from error
        except BadConfig:
            self.leave()
            raise

    def _locked(self) -> bool:
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    def _bound(self) -> socket.socket:
        self._clear()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.bind(str(self._path))
            # Nobody can connect before listen(): the mode is right by then, whatever the umask.
            self._path.chmod(self._mode)
            made = self._path.lstat()
        except OSError:
            sock.close()
            raise
        self._made = made.st_dev, made.st_ino
        sock.setblocking(False)
        return sock

    def _clear(self) -> None:
        """Removes a socket that a killed process left. Raises BadConfig where something else is there, or somebody answers."""
        try:
            there = self._path.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(there.st_mode):
            raise BadConfig(f"lmtp.listen: {self._path} is there and is no socket; remove it or choose another path")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            refused = probe.connect_ex(str(self._path))
        if refused not in (errno.ECONNREFUSED, errno.ENOENT):
            raise BadConfig(f"lmtp.listen: another program listens on {self._path}; stop it or choose another path")
        self._path.unlink(missing_ok=True)

    def leave(self) -> None:
        """Removes the socket, if it is still ours, and gives the place up; safe to call twice."""
        with contextlib.suppress(FileNotFoundError):
            there = self._path.lstat()
            if self._made == (there.st_dev, there.st_ino):
                self._path.unlink()
        self._made = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
