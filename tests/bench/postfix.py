"""A real Postfix of our own for a while: own configuration, queue and data folders, smtpd on loopback, every mail held."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MASTER_CF = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

# Nothing here touches speed or durability: those are Postfix's defaults.
_MAIN_CF = """\
compatibility_level = {level}
queue_directory = {root}/queue
data_directory = {root}/data
daemon_directory = {daemons}
command_directory = /usr/sbin
maillog_file = {root}/log/mail.log
maillog_file_prefixes = {root}/log
mail_owner = postfix
setgid_group = postdrop
myhostname = bench.example
mydestination = delta.example
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
smtpd_client_restrictions = static:HOLD
smtpd_relay_restrictions = permit_mynetworks, reject
"""


def available() -> bool:
    """Whether Postfix is installed and we may start it (its master wants to be root)."""
    return shutil.which("postfix", path="/usr/sbin:/usr/bin") is not None and os.geteuid() == 0 and _known("postfix")


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


@contextmanager
def running(folder: Path) -> Iterator[tuple[int, Path]]:
    """A Postfix whose queue lies under ``folder``; gives its port and its queue directory. Stopped by its own pid."""
    root = Path(tempfile.mkdtemp(prefix="postfix-", dir=folder))
    port = _free_port()
    _configure(root, port)
    daemons = _ask("daemon_directory")
    master = subprocess.Popen([f"{daemons}/master", "-c", str(root / "etc"), "-d"], stdin=subprocess.DEVNULL)
    try:
        _wait_for(port, master)
        yield port, root / "queue"
    finally:
        master.terminate()
        master.wait(30)
        shutil.rmtree(root, ignore_errors=True)


def _configure(root: Path, port: int) -> None:
    for name in ("etc", "queue", "data", "log"):
        (root / name).mkdir()
    root.chmod(0o755)
    owner = pwd.getpwnam("postfix")
    os.chown(root / "data", owner.pw_uid, owner.pw_gid)
    level = _ask("mail_version").rpartition(".")[0]
    (root / "etc" / "main.cf").write_text(_MAIN_CF.format(root=root, daemons=_ask("daemon_directory"), level=level), encoding="ascii")
    (root / "etc" / "master.cf").write_text(_MASTER_CF.format(port=port), encoding="ascii")
    subprocess.run(["/usr/sbin/postfix", "-c", str(root / "etc"), "check"], check=True, capture_output=True, timeout=60)


def _ask(parameter: str) -> str:
    done = subprocess.run(["/usr/sbin/postconf", "-d", "-h", parameter], check=True, capture_output=True, text=True, timeout=20)
    return done.stdout.strip()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _wait_for(port: int, master: "subprocess.Popen[bytes]") -> None:
    for _ in range(100):
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as sock:
                if sock.recv(3) == b"220":
                    return
        except OSError:
            time.sleep(0.1)
        if master.poll() is not None:
            raise RuntimeError(f"Postfix ended with {master.returncode}")
    raise RuntimeError("Postfix does not answer")
