"""Answers and digests -> mails ready for the smarthost."""

from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from types import SimpleNamespace

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mailflow.config.campaign import Campaign, Organiser
from mailflow.model.answer import Answer, AnswerKind, Digest, OutgoingMail
from mailflow.render import message
from mailflow.render.catalogue import load_catalogues
from mailflow.render.views import AnswerViews, digest_view

_PIECES = ("subject.txt.j2", "body.txt.j2", "body.html.j2")
_Trio = tuple[Template, Template, Template]


def escapes(name: str | None) -> bool:
    """Whether a template's output is escaped for HTML: Jinja's own rule does not know ``.html.j2``."""
    return name is None or name.endswith(".html.j2")


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with a short way to the sentences: most of what a template reads is one, and it is finished text."""

    def getattr(self, obj: object, attribute: str) -> object:
        """As in the sandbox."""
        if type(obj) is SimpleNamespace and attribute in (own := vars(obj)):
            return own[attribute]
        if type(obj) is LoopContext and attribute in ("first", "last"):
            return obj.first if attribute == "first" else obj.last
        return super().getattr(obj, attribute)


class Renderer:
    """Holds the compiled templates and catalogues. Same arguments, same bytes."""

    def __init__(self, templates: Path, secret: bytes) -> None:
        """Compile everything under ``templates``; ``secret`` (16 to 64 bytes) keeps Message-IDs from being guessed.

        Raises BadConfig for a broken catalogue, jinja2.TemplateError for a broken template, ValueError for a
        secret of another length.
        """
        if not 16 <= len(secret) <= 64:
            raise ValueError("the secret must have 16 to 64 bytes")
        self._secret = secret
        environment = _Environment(
            loader=FileSystemLoader(templates),
            undefined=StrictUndefined,
            autoescape=escapes,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        # Our templates use none of Jinja's global functions, and every context would gather their names.
        environment.globals.clear()
        self._answers = {kind: _trio(environment, f"answers/{kind}") for kind in AnswerKind}
        self._digest = _trio(environment, "digest")
        self._views = AnswerViews(load_catalogues(templates / "answers" / "languages"))
        self._digest_catalogues = load_catalogues(templates / "digest" / "languages")

    @property
    def languages(self) -> frozenset[str]:
        """The languages that answers are written in."""
        return self._views.languages

    def answer(self, answer: Answer, campaign: Campaign, now: datetime) -> OutgoingMail:
        """Return the mail for ``answer``; it goes out with the null envelope sender, so that nothing answers it (RFC 3834 §3.3).

        Raises ValueError where an address, a Message-ID or a text is not fit for a header.
        """
        view = self._views.of(answer, campaign)
        thread: list[tuple[str, str]] = []
        if answer.in_reply_to:
            thread.append(("In-Reply-To", message.message_ids(answer.in_reply_to)))
        if answer.references:
            thread.append(("References", message.message_ids(*answer.references)))
        thread.append(("Auto-Submitted", "auto-replied"))
        key = f"answer:{campaign.slug}:{answer.kind}:{answer.key}"
        return self._mail(self._answers[answer.kind], view, campaign, answer.to, "", key, thread, now)

    def digest(self, digest: Digest, campaign: Campaign, organiser: Organiser, now: datetime) -> OutgoingMail:
        """Return the mail for ``digest``; its envelope sender is the campaign, so that we hear of bounces.

        Raises ValueError where an address or a text is not fit for a header.
        """
        language = next((one for one in campaign.languages if one in self._digest_catalogues), "en")
        view = digest_view(digest, campaign, organiser, self._digest_catalogues[language])
        key = f"digest:{campaign.slug}:{organiser.address}:{digest.day.isoformat()}:{digest.after}:{digest.upto}"
        origin = [("Auto-Submitted", "auto-generated")]
        return self._mail(self._digest, view, campaign, organiser.address, campaign.address, key, origin, now)

    def _mail(
        self,
        templates: _Trio,
        view: dict[str, object],
        campaign: Campaign,
        to: str,
        sender: str,
        key: str,
        more: list[tuple[str, str]],
        now: datetime,
    ) -> OutgoingMail:
        """RFC 3834 §5 for the headers; Message-ID and boundary come from the key, so that a repeat is the same mail."""
        token = blake2b(key.encode("utf-8"), key=self._secret, digest_size=20).hexdigest()
        message_id = f"{token}@{campaign.address.rpartition('@')[2]}"
        subject, text, html = (_filled(template, view) for template in templates)
        headers = [
            ("Date", message.date_value(now)),
            ("From", message.mailbox(campaign.sender_name or campaign.name, campaign.address)),
            ("To", message.addr_spec(to)),
            ("Subject", message.text_value(subject.rstrip("\n"))),
            ("Message-ID", message.message_ids(message_id)),
            *more,
            ("X-Auto-Response-Suppress", "All"),
        ]
        raw = message.build(headers, text, html, f"=_{token[:24]}")
        return OutgoingMail(message_id=message_id, sender=sender, recipient=to, raw=raw)


def _filled(template: Template, view: dict[str, object]) -> str:
    """What ``template.render`` gives, without a copy of the values."""
    return "".join(template.root_render_func(template.new_context(view, shared=True)))


def _trio(environment: ImmutableSandboxedEnvironment, folder: str) -> _Trio:
    subject, text, html = (environment.get_template(f"{folder}/{piece}") for piece in _PIECES)
    return subject, text, html
