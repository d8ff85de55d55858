"""Writes docs/config.md from the models, so that no key is without its documentation."""

from collections.abc import Iterator
from pathlib import Path

from mailflow.config.campaign import Campaign
from mailflow.config.example import toml_value, write_examples
from mailflow.config.fields import Key, keys
from mailflow.config.section import Section
from mailflow.config.settings import Settings

_INTRODUCTION = """\
# Configuration

A config folder holds `mailflow.toml` (the settings) and `campaigns/SLUG.toml` (one file a campaign). mailflow reads
`./config` unless `--config DIR` or `MAILFLOW_CONFIG` names it, or the folder it is in. `mailflow init` writes a first one,
`mailflow check` tries it. Both files are [TOML](https://toml.io); text needs quotation marks, a date has none.

Everything is checked when it is read. A key that does not exist, a value out of its bounds or of the wrong kind is an
error (exit 78), in one line that names the file, the key, the value and what is allowed. Nothing is guessed:
`port = "25"` is an error, because 25 is meant.

## Paths

A relative path in `mailflow.toml` starts at the folder that *holds* the config folder: with `/srv/letter/config`, the
store `sqlite:///var/mailflow.db` is `/srv/letter/var/mailflow.db`. The `file` of a statement stands beside its campaign
file.

## Secrets

A password may be written into `mailflow.toml` if only its owner can read the file (mode 600; mailflow refuses to start
where everybody can). Better:

- `password = "file:secrets/smarthost"`: the file's content without its last line end. It must not be readable by
  everybody: `chmod 600 secrets/smarthost`.
- `password = "env:SMARTHOST_PASSWORD"`: the environment variable of that name.

Placeholders such as `changeme` are refused. No error, log line or `check` repeats a secret.

## Environment

`MAILFLOW_<SECTION>_<KEY>` goes before the file: `MAILFLOW_SMTP_PORT=25`, `MAILFLOW_STORE_URL=postgresql://...`,
`MAILFLOW_WORKERS_DNS_SERVERS=192.0.2.53,192.0.2.54`. Lists are separated by commas or written as TOML. An empty
variable counts as not set; one that names no setting is an error.
"""

_CAMPAIGN = """\
# campaigns/SLUG.toml

The file's name is the campaign's `slug`. No two campaigns share an address.

`listing` is who gets on the public list. `named`: whoever endorses; the notice must then say that names are published
(`notice_names_public = true`, or `mailflow check` fails). `ask`: those who said so, in the mail or in reply to the
acknowledgement. `count`: nobody, only the number is shown. Whoever asks not to be named is not named, whatever stands
here.

A statement's text is known to the reader of mails, so that what people quote is not taken for their own words. Write it
as people got it, once per language, with `invitation` and `template` if you used them.
"""


def reference() -> str:
    """The whole of docs/config.md."""
    parts = [_INTRODUCTION, "# mailflow.toml\n", *_sections(Settings, ""), _CAMPAIGN, *_table(Campaign), *_sections(Campaign, "")]
    return "\n".join(parts)


def _sections(model: type[Section], path: str) -> Iterator[str]:
    for key in keys(model).values():
        if key.section is None:
            continue
        name = f"{path}{key.name}"
        yield f"## [[{name}]]\n" if key.many else f"## [{name}]\n"
        yield f"{key.meaning}\n"
        yield from _table(key.section)
        yield from _sections(key.section, f"{name}.")


def _table(model: type[Section]) -> Iterator[str]:
    rows = [_row(key) for key in keys(model).values() if key.section is None]
    yield "\n".join(["| key | meaning | allowed | default |", "| --- | --- | --- | --- |", *rows]) + "\n"


def _row(key: Key) -> str:
    cells = [f"`{key.name}`", key.meaning, key.allowed, "*must be set*" if key.required else _default(key)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(key: Key) -> str:
    return "none" if key.default in (None, "", []) else f"`{toml_value(key.default)}`"


def write_all(top: Path) -> None:
    """Write docs/config.md and the example files of a checkout."""
    write_examples(top)
    (top / "docs/config.md").write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    write_all(Path.cwd())
