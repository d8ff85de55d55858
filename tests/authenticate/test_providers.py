"""Authentication-Results as large mail servers really write them, shortened; the mail's From is ann@foo.example."""

import pytest
from signed import MAIL, judge

GOOGLE = """\
Delivered-To: e@delta.example
Received: by 2002:a05:6a10:1234:b0:1f6:aaaa:bbbb with SMTP id x1csp1;
        Thu, 10 Sep 2026 04:00:00 -0700 (PDT)
X-Received: by 2002:a17:906:1:b0:1:2:3 with SMTP id y;
        Thu, 10 Sep 2026 04:00:00 -0700 (PDT)
ARC-Authentication-Results: i=1; mx.google.com; dkim=pass header.i=@foo.example
Return-Path: <ann@foo.example>
Received: from out.foo.example (out.foo.example. [192.0.2.1])
        by mx.google.com with ESMTPS id z1
        for <e@delta.example>
        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);
        Thu, 10 Sep 2026 04:00:00 -0700 (PDT)
Received-SPF: pass (google.com: domain of ann@foo.example designates 192.0.2.1 as permitted sender) client-ip=192.0.2.1;
Authentication-Results: mx.google.com;
       dkim=pass header.i=@foo.example header.s=s3 header.b=AbC+d/e=;
       arc=pass (i=1 spf=pass spfdomain=foo.example dkim=pass dkdomain=foo.example dmarc=pass fromdomain=foo.example);
       spf=pass (google.com: domain of ann@foo.example designates 192.0.2.1 as permitted sender) smtp.mailfrom="ann+a=b@foo.example";
       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=foo.example
"""
YAHOO = """\
Authentication-Results: mail-prod1.omega.yahoo.com;
 dkim=pass header.i=@foo.example header.s=s;
 spf=pass smtp.mailfrom=foo.example;
 dmarc=pass(p=QUARANTINE) header.from=foo.example;
"""
FASTMAIL = """\
Authentication-Results: mx6.messagingengine.com;
    arc=none (no signatures found);
    bimi=skipped (DMARC Policy is not at enforcement);
    dkim=pass (2048-bit rsa key sha256) header.d=foo.example
      header.i=@foo.example header.b=AAAAAA header.a=rsa-sha256 header.s=s x-bits=2048;
    dmarc=pass policy.published-domain-policy=none
      policy.applied-disposition=none policy.evaluated-disposition=none
      (p=none,d=none,d.eval=none) policy.policy-from=p
      header.from=foo.example;
    iprev=pass smtp.remote-ip=192.0.2.1 (out.foo.example);
    x-tls=pass smtp.version=TLSv1.3 smtp.cipher=TLS_AES_256_GCM_SHA384 smtp.bits=256/256
"""
MILTERS = """\
Authentication-Results: mx.delta.example; dmarc=pass (p=none dis=none) header.from=foo.example
Authentication-Results: mx.delta.example; spf=pass smtp.mailfrom=foo.example
Authentication-Results: mx.delta.example;
	dkim=pass (2048-bit key; unprotected) header.d=foo.example header.i=@foo.example header.a=rsa-sha256 header.s=s header.b=abcd;
	dkim-atps=neutral
"""
RSPAMD = """\
Authentication-Results: mx.delta.example;
	dkim=pass header.d=foo.example header.s=s header.b=abc;
	dmarc=pass (policy=reject) header.from=foo.example;
	spf=pass (mx.delta.example: domain of ann@foo.example designates 192.0.2.1 as permitted sender) smtp.mailfrom=ann@foo.example
"""
EXIM = """\
Authentication-Results: mx.delta.example;
	iprev=pass (out.foo.example) smtp.remote-ip=192.0.2.1;
	spf=pass smtp.mailfrom=foo.example;
	dkim=pass header.d=foo.example header.s=s header.a=rsa-sha256;
	dmarc=pass header.from=foo.example;
	arc=none
"""
AMAVIS_AND_DOVECOT = """\
Return-Path: <ann@foo.example>
Received: from mx.delta.example
	by mx.delta.example with LMTP
	id abc
	(envelope-from <ann@foo.example>)
	for <e@delta.example>; Thu, 10 Sep 2026 11:00:00 +0000
Received: from localhost (localhost [127.0.0.1])
	by mx.delta.example (Postfix) with ESMTP id 1
	for <e@delta.example>; Thu, 10 Sep 2026 11:00:00 +0000
Authentication-Results: mx.delta.example (amavisd-new);
	dkim=pass (2048-bit key) header.d=foo.example
"""
MICROSOFT_BEHIND_AN_ID = """\
Authentication-Results: mx.delta.example; spf=pass (sender IP is 192.0.2.1)
 smtp.mailfrom=foo.example; dkim=pass (signature was verified)
 header.d=foo.example;dmarc=pass action=none
 header.from=foo.example;compauth=pass reason=100
"""
PROVIDERS = {
    "Google": ("mx.google.com", GOOGLE),
    "Yahoo": ("mail-prod1.omega.yahoo.com", YAHOO),
    "Fastmail": ("mx6.messagingengine.com", FASTMAIL),
    "OpenDKIM, OpenDMARC, policyd-spf": ("mx.delta.example", MILTERS),
    "Rspamd": ("mx.delta.example", RSPAMD),
    "Exim": ("mx.delta.example", EXIM),
    "amavis behind Postfix and Dovecot": ("mx.delta.example", AMAVIS_AND_DOVECOT),
    "Microsoft's clauses": ("mx.delta.example", MICROSOFT_BEHIND_AN_ID),
}


@pytest.mark.parametrize("case", PROVIDERS.values(), ids=PROVIDERS)
def test_a_believed_providers_pass_proves_the_author_and_an_unbelieved_ones_does_not(case: tuple[str, str]) -> None:
    id_, header = case
    raw = header.replace("\n", "\r\n").encode() + MAIL
    seen = [judge(raw, door="imap", sender=None, trusted_results=ids).proven for ids in ((id_,), ("another.example",), ())]
    assert seen == [True, False, False]


@pytest.mark.parametrize("case", PROVIDERS.values(), ids=PROVIDERS)
def test_a_providers_pass_for_somebody_else_proves_nobody(case: tuple[str, str]) -> None:
    id_, header = case
    raw = header.replace("foo.example", "evil.example").replace("\n", "\r\n").encode() + MAIL
    assert not judge(raw, door="imap", sender=None, trusted_results=(id_,)).proven
