"""How much all sessions of one listener may take together."""

import ipaddress
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mailflow.config.settings import SmtpSettings

ROOM_FOR_ONE = 1.5
"""A mail costs its size and half as much again while it is checked and written."""
DISK_SECONDS = 0.1
"""How long an answer about the free disk holds: asking for each mail costs more than taking it."""


Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNIX = "unix"
"""The client of whatever comes over a unix socket."""


@dataclass
class Memory:
    """Bytes of mails that are arriving; one count for all listeners of a process."""

    held: int = 0


@dataclass
class House:
    """Counts connections by client and bytes in memory; ``free_bytes`` tells the free disk."""

    settings: SmtpSettings
    free_bytes: Callable[[], int]
    floor: int
    clients: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    memory: Memory = field(default_factory=Memory)
    _disk: tuple[float, bool] = (float("-inf"), False)

    def enter(self, peer: str, make_room: Callable[[], bool], *, for_many: bool = False) -> bool:
        """Lets a connection in, or says that there are too many of all or from this client; who stands ``for_many`` counts among all only.

        When the house is full, ``make_room`` sends somebody away, or says that nobody can be.
        """
        client = network_of(peer)
        if not for_many and self.clients[client] >= self.settings.max_connections_per_client:
            return False
        if self.connections >= self.settings.max_connections and not make_room():
            return False
        self.connections += 1
        self.clients[client] += 1
        return True

    def leave(self, peer: str) -> None:
        """A connection that was let in has ended."""
        client = network_of(peer)
        self.connections -= 1
        self.clients[client] -= 1
        if self.clients[client] <= 0:
            del self.clients[client]

    def has_disk(self) -> bool:
        """Whether a mail of the largest size would leave the floor untouched."""
        now = time.monotonic()
        if now - self._disk[0] > DISK_SECONDS:
            self._disk = (now, self.free_bytes() >= max(self.floor, int(ROOM_FOR_ONE * self.settings.max_message_bytes)))
        return self._disk[1]

    def has_memory(self) -> bool:
        """Whether another mail may begin to arrive."""
        return self.memory.held + self.settings.spool_over <= self.settings.memory_bytes


def networks(named: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks of the configuration, ready to be compared. Raises ValueError for what is none."""
    return tuple(ipaddress.ip_network(name) for name in named)


def is_among(peer: str, known: Iterable[Network]) -> bool:
    """Whether an address lies in one of the networks; an IPv4 address that came over IPv6 is the IPv4 address."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in known)


def network_of(peer: str) -> str:
    """What counts as one client: an IPv4 address or an IPv6 /64."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
