"""Keys, algorithms and the tags of a signature: one table of what is good enough (case 49). Every signature here is a real one."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from signed import MAIL, NOW, PEM, RECORD, judge, table

from mailflow.authenticate.signing import make_key, sign
from mailflow.model.mail import Assurance, Verdict

T = int(NOW.timestamp())
HOUR = 3600
HEADERS = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]
TEXT = RECORD.decode()


class Signer(dkim.DKIM):  # type: ignore[misc]  # dkimpy has no types
    """dkimpy's signer, which writes the tags that a test wants: a value, or None for no such tag."""

    tags: dict[bytes, bytes | None]

    def gen_header(self, fields: list[tuple[bytes, bytes]], *rest: object, **more: object) -> bytes:
        kept = [(name, value) for name, value in fields if name not in self.tags]
        wanted = [(name, value) for name, value in self.tags.items() if value is not None]
        header: bytes = super().gen_header([*wanted, *kept], *rest, **more)
        return header


def signed_with(
    tags: dict[str, str | None] | None = None, headers: list[bytes] = HEADERS, pem: bytes = PEM, algorithm: bytes = b"rsa-sha256"
) -> bytes:
    signer = Signer(MAIL, signature_algorithm=algorithm)
    signer.tags = {name.encode(): value if value is None else value.encode() for name, value in {"t": str(T), **(tags or {})}.items()}
    form = (b"relaxed", b"relaxed")
    header: bytes = signer.sign(b"s", b"foo.example", pem, canonicalize=form, include_headers=headers)
    return header + MAIL


TAGS: dict[str, tuple[dict[str, str | None], Assurance]] = {
    "nothing special": ({}, Assurance.ALIGNED),
    "no t=": ({"t": None}, Assurance.ALIGNED),
    "x= still to come": ({"x": str(T + HOUR)}, Assurance.ALIGNED),
    "x= is the moment of receipt": ({"t": str(T - HOUR), "x": str(T)}, Assurance.ALIGNED),
    "x= is over": ({"t": str(T - HOUR), "x": str(T - 1)}, Assurance.NONE),
    "x= before t=": ({"x": str(T + 300), "t": str(T + 600)}, Assurance.NONE),
    "x= is no number": ({"x": "soon"}, Assurance.NONE),
    "t= fifteen minutes ahead": ({"t": str(T + 900)}, Assurance.ALIGNED),
    "t= more than that ahead": ({"t": str(T + 901)}, Assurance.NONE),
    "t= long ago": ({"t": "0"}, Assurance.ALIGNED),
    "t= is negative": ({"t": "-1"}, Assurance.NONE),
    "v=2": ({"v": "2"}, Assurance.NONE),
    "no v=": ({"v": None}, Assurance.NONE),
    "another query method": ({"q": "dns/other"}, Assurance.NONE),
    "i= below d=": ({"i": "ann@mail.foo.example"}, Assurance.ALIGNED),
    "i= of somebody else": ({"i": "ann@bar.example"}, Assurance.NONE),
    "i= that only ends alike": ({"i": "ann@evilfoo.example"}, Assurance.NONE),
    "l= of the whole text": ({"l": "12"}, Assurance.NONE),
    "no domain": ({"d": None}, Assurance.NONE),
    "an unknown tag": ({"zz": "1"}, Assurance.ALIGNED),
}


@pytest.mark.case(49)
@pytest.mark.parametrize("case", TAGS.values(), ids=TAGS)
def test_what_the_tags_of_a_good_signature_allow(case: tuple[dict[str, str | None], Assurance]) -> None:
    tags, expected = case
    assert judge(signed_with(tags)).assurance is expected


@pytest.mark.case(49)
def test_expiry_is_judged_at_receipt_however_late_the_mail_is_looked_at() -> None:
    raw = signed_with({"t": str(T - HOUR), "x": str(T + HOUR)})
    seen = [judge(raw, at=datetime.fromtimestamp(moment, UTC)).assurance for moment in (T, T + 2 * HOUR)]
    assert seen == [Assurance.ALIGNED, Assurance.NONE]


@pytest.mark.case(45)
def test_a_signature_that_leaves_from_out_is_none() -> None:
    verdict = judge(signed_with({"h": "to : subject : date : content-type"}))
    assert (verdict.assurance, "From is not signed" in verdict.evidence[0]) == (Assurance.NONE, True)


@pytest.mark.case(49)
def test_sha1_is_refused() -> None:
    verdict = judge(signed_with(algorithm=b"rsa-sha1"))
    assert (verdict.assurance, "algorithm not accepted" in verdict.evidence[0]) == (Assurance.NONE, True)


WEAK = {
    512: b"""-----BEGIN RSA PRIVATE KEY-----
MIIBOwIBAAJBALz8Gbehhuw6C1sPzQIEHVeWD3B4Wv6WKigs17nshzU8qJ5dD3FT
hqLzzQLX3U4apFw+2hnKm94l8WE6xmAfce8CAwEAAQJBAKuxDVw7L2zlvvNYA5RV
UKMF/bjcXy70FhCxzLtpG91MUuVMk5je/kxSE8VclZhahq5jzD74+vvEKXhtojv9
QsECIQDeW6b3Xt12IMtV9yiKv2OASIwArpVhE6spZ00ZGMUHlwIhANmT1sjZeKo/
vFrO3o3anKjLQ9a06l+O4/HejV7zHfNpAiB1RjeQfkslU3SK2XlbfEe5UAnvDiUg
9yOuCZqjIuo/7wIhAK1h+1nouxhoW++9RGqkWAzGlhPF7bMiihEXOW79q9NpAiBn
rR4iWZ/+8Jz3PNqkCs/NIOeptr85KSfnDFyFuRQ5nQ==
-----END RSA PRIVATE KEY-----
""",
    1016: b"""-----BEGIN RSA PRIVATE KEY-----
MIICVgIBAAKBgADR8VIvICpKfpwiE4bLSUfkPolNE9vPqBkd+WJEgzb0VKeMzYFs
aob18bjVKSvwpJgh8Z9N34dh7Lq2x8LXiUooz64OLoyJ3AGEwFpTzkgz3oUk+Mj3
IsTP9Gc/kyjNYOx/BbqckR5JeKVRi2idXFd2xc3ldn0XcJFdgkYUmlmTAgMBAAEC
fwjr6WMpScLKqJXmIIdJAO4ZHjqRSnkDmrWkYGGq9c3iPxCDtylFSaDv+bvNORnL
1M80dmGXyygFKFYWHRiNtADWsYOE5fQc3G7VMdJT9d6r5yycAgqyMyidpE+8nZpP
Xevkt9GzZtyianCQOM61MokYTsKX425hsKIFsjcUfmECQA6ukXawBRigVuWhAVXx
kbFR3s+3clXyt0irbWQN4VgTR6o/tUVvuv+QliIWyz4hwTLu5RFmgH28ebekZhzE
ZTECQA5MplygfxOVJbtgXhdYJQhoQ2EBHiAbwGx2ZERowJ3vZ0/jjc32xtX39HAy
8vT3vO/WjhyHTEVmmgSy7QqdSgMCQAdFE0wkvnFCO6T6g1HOCuk1c9GAsYGzbGP0
Vnc7lEBrU4oOf7DBMWQIcP6yMLM0PZj9x7lE+wzHfbGcGt/Vs5ECQAk8DyQ6slaf
N6Lu9VT2I9RuITWAV0g9I+PoAZD8ZYiZl4rMVkPxXy/H1iCvhqAVbfsmANkDt4oK
XOUz+EmmkqkCQAWmApJeXh4Y4WHKGIKU7/IfqGBFJVBhGzqutNaXOP45TsQwiQzG
uDVeq7J8evm5pSPyH4xC3WWOzIvL4XIby9M=
-----END RSA PRIVATE KEY-----
""",
}
WEAK_PUBLIC = {
    512: "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALz8Gbehhuw6C1sPzQIEHVeWD3B4Wv6WKigs17nshzU8qJ5dD3FThqLzzQLX3U4apFw+2hnKm94l8WE6xmAfce8CAwEAAQ==",
    1016: "MIGeMA0GCSqGSIb3DQEBAQUAA4GMADCBiAKBgADR8VIvICpKfpwiE4bLSUfkPolNE9vPqBkd+WJEgzb0VKeMzYFsaob18bjVKSvwpJgh8Z9N34dh7Lq2x8LXiUooz64OLoyJ3AGEwFpTzkgz3oUk+Mj3IsTP9Gc/kyjNYOx/BbqckR5JeKVRi2idXFd2xc3ldn0XcJFdgkYUmlmTAgMBAAE=",
}


@pytest.mark.case(49)
@pytest.mark.parametrize("bits", WEAK)
def test_a_good_signature_by_a_weak_key_proves_nothing(bits: int) -> None:
    raw, record = signed_with({"t": "1600000000"}, pem=WEAK[bits]), f"v=DKIM1; p={WEAK_PUBLIC[bits]}"
    verdict = judge(raw, table(value=[record]))
    assert (verdict.assurance, "(key " in verdict.evidence[0]) == (Assurance.NONE, True)
    assert dkim.verify(raw, minkey=1, dnsfunc=lambda *_, **__: record.encode()), "the signature itself is good"


@pytest.mark.case(49)
@pytest.mark.parametrize("bits", [1024, 2048])
def test_keys_of_1024_bits_and_more_are_taken(bits: int) -> None:
    pem, record = make_key(bits)
    assert judge(signed_with(pem=pem), table(value=[record.decode()])).assurance is Assurance.ALIGNED


def bare(pem: bytes) -> str:
    key = load_pem_private_key(pem, None).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()


RECORDS: dict[str, tuple[list[str], Assurance, str]] = {
    "as it should be": ([TEXT], Assurance.ALIGNED, ""),
    "without v= and k=": ([TEXT.partition("k=rsa; ")[2]], Assurance.ALIGNED, ""),
    "the bare key that RFC 6376 speaks of": ([f"v=DKIM1; p={bare(PEM)}"], Assurance.ALIGNED, ""),
    "folded within p=": ([TEXT[:80] + " \t " + TEXT[80:]], Assurance.ALIGNED, ""),
    "in test mode, which is told": ([f"{TEXT}; t=y"], Assurance.ALIGNED, "test mode"),
    "test mode among flags": ([f"{TEXT}; t=s:y"], Assurance.ALIGNED, "test mode"),
    "for mail among others": ([f"{TEXT}; s=tlsrpt : email"], Assurance.ALIGNED, ""),
    "for sha256 among others": ([f"{TEXT}; h=sha1:sha256"], Assurance.ALIGNED, ""),
    "beside somebody else's records": (["v=spf1 -all", TEXT, "site-verification=abc"], Assurance.ALIGNED, ""),
    "none": ([], Assurance.NONE, "no key"),
    "only other records": (["v=spf1 -all"], Assurance.NONE, "no key"),
    "another version": ([TEXT.replace("DKIM1", "DKIM2")], Assurance.NONE, "no key"),
    "two keys": ([TEXT, TEXT], Assurance.NONE, "several keys"),
    "revoked": (["v=DKIM1; k=rsa; p="], Assurance.NONE, "revoked"),
    "another key": ([make_key()[1].decode()], Assurance.NONE, "header hash"),
    "more than 64 KiB": ([f"{TEXT}; n={'A' * 65_536}"], Assurance.NONE, "too long"),
    "another type": ([TEXT.replace("k=rsa", "k=ed25519")], Assurance.NONE, "another type"),
    "not for mail": ([f"{TEXT}; s=tlsrpt"], Assurance.NONE, "not for this use"),
    "sha1 only": ([f"{TEXT}; h=sha1"], Assurance.NONE, "not for this use"),
    "a hash whose name only begins so": ([f"{TEXT}; h=sha256x"], Assurance.NONE, "not for this use"),
    "not base64": (["v=DKIM1; p=%%%%"], Assurance.NONE, "unreadable"),
    "not a key": (["v=DKIM1; p=AAAA"], Assurance.NONE, "unreadable"),
    "a tag twice": ([f"{TEXT}; k=rsa"], Assurance.NONE, "malformed"),
}


@pytest.mark.case(49)
@pytest.mark.parametrize("case", RECORDS.values(), ids=RECORDS)
def test_what_a_key_record_is_good_for(case: tuple[list[str], Assurance, str]) -> None:
    records, expected, why = case
    verdict = judge(signed_with(), table(value=records))
    assert (verdict.assurance, why in verdict.evidence[0]) == (expected, True)


@pytest.mark.case(49)
@pytest.mark.parametrize(("identity", "expected"), [("a@foo.example", Assurance.ALIGNED), ("a@mail.foo.example", Assurance.NONE)])
def test_a_key_may_insist_that_i_is_d_itself(identity: str, expected: Assurance) -> None:
    assert judge(signed_with({"i": identity}), table(value=[f"{TEXT}; t=s"])).assurance is expected


RFC_8463 = b"""DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""
"""The mail of RFC 8463, appendix A."""


def judge_rfc_8463(change: Callable[[bytes], bytes]) -> Verdict:
    record = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    return judge(change(RFC_8463), table("brisbane._domainkey.football.example.com", [record]), "joe@football.example.com")


def test_ed25519_is_understood_as_its_rfc_shows_it() -> None:
    assert judge_rfc_8463(lambda raw: raw).assurance is Assurance.ALIGNED
    assert judge_rfc_8463(lambda raw: raw.replace(b"\n", b"\r\n")).assurance is Assurance.ALIGNED
    assert judge_rfc_8463(lambda raw: raw.replace(b"dinner", b"supper")).assurance is Assurance.NONE


TIMES_OF_PROOF: dict[str, tuple[dict[str, str | None], list[bytes], datetime | None]] = {
    "t=": ({}, HEADERS, NOW),
    "the signed Date where there is no t=": ({"t": None}, HEADERS, NOW.replace(hour=11)),
    "nothing where Date is not signed": ({"t": None}, [name for name in HEADERS if name != b"date"], None),
}


@pytest.mark.parametrize("case", TIMES_OF_PROOF.values(), ids=TIMES_OF_PROOF)
def test_the_proof_speaks_for_a_time_that_is_signed(case: tuple[dict[str, str | None], list[bytes], datetime | None]) -> None:
    tags, headers, expected = case
    verdict = judge(signed_with(tags, headers))
    assert (verdict.assurance, verdict.signed_at) == (Assurance.ALIGNED, expected)


def test_a_signing_helper_that_is_given_no_time_takes_the_present() -> None:
    raw = sign(MAIL, "foo.example", "s", PEM)
    signed_at = judge(raw, at=datetime(2100, 1, 1, tzinfo=UTC)).signed_at
    assert signed_at is not None
    assert signed_at > datetime(2025, 1, 1, tzinfo=UTC)
