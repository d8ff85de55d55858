"""The PROXY protocol, versions 1 and 2: who stands behind a load balancer. Only the listener knows from whom it may be believed."""

import ipaddress
import re
from dataclasses import dataclass

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_FIXED = len(_SIGNATURE) + 4
_LONGEST_V1 = 107
_LONGEST_V2 = 2048
"""Bytes behind the fixed part; addresses take at most 216, the rest are TLVs, which are not looked at."""
_V1 = re.compile(r"PROXY (TCP4|TCP6) ([0-9a-fA-F.:]+) ([0-9a-fA-F.:]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})")
_UNKNOWN = re.compile(r"PROXY UNKNOWN(?: [ -~]*)?")
_STREAM = {0x11: 4, 0x21: 16}
"""Address family and transport -> bytes of an address."""
_NO_ADDRESS = frozenset({0x00, 0x31})
"""UNSPEC, and a unix socket: there is no address that could count."""


class Malformed(ValueError):
    """What has come is no PROXY header."""


@dataclass(frozen=True, slots=True)
class Header:
    """A complete header: how many bytes it takes, and the client, ``""`` where the balancer speaks for itself."""

    length: int
    client: str = ""


def header(data: bytes | bytearray) -> Header | None:
    """The header that ``data`` begins with, ``None`` where more must come. Raises Malformed as early as that is certain."""
    start = bytes(data[: _FIXED + _LONGEST_V2])
    if start[:5] == b"PROXY"[: len(start)]:
        return _version_1(start)
    if start[: len(_SIGNATURE)] == _SIGNATURE[: len(start)]:
        return _version_2(start)
    raise Malformed


def _version_1(data: bytes) -> Header | None:
    line, end, _ = data.partition(b"\r\n")
    if len(line) + 2 > _LONGEST_V1 or b"\n" in line:
        raise Malformed
    if not end:
        return None
    text = line.decode("latin-1")
    if _UNKNOWN.fullmatch(text):
        return Header(len(line) + 2)
    found = _V1.fullmatch(text)
    if found is None or int(found[4]) > 65535 or int(found[5]) > 65535:
        raise Malformed
    version = int(found[1][-1])
    client, _ = (_address(address, version) for address in (found[2], found[3]))
    return Header(len(line) + 2, client)


def _address(text: str, version: int) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise Malformed from None
    if address.version != version:
        raise Malformed
    return str(address)


def _version_2(data: bytes) -> Header | None:
    if len(data) < _FIXED:
        return None
    command, family = data[12], data[13]
    size = int.from_bytes(data[14:_FIXED], "big")
    if command not in (0x20, 0x21) or size > _LONGEST_V2:
        raise Malformed
    if len(data) < _FIXED + size:
        return None
    if command == 0x20 or family in _NO_ADDRESS:
        return Header(_FIXED + size)
    width = _STREAM.get(family)
    if width is None or size < 2 * width + 4:
        raise Malformed
    return Header(_FIXED + size, str(ipaddress.ip_address(data[_FIXED : _FIXED + width])))
