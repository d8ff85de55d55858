"""A filled form: the mailto template of the statement, and forms of the same shape in any language."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mailflow.parse.fold import fold
from mailflow.parse.lexicon import Lexicon

_LINE = re.compile(r"(?:\d{1,2}[.)] {0,3})?([^:：?？\n]{1,70}? {0,3}(?:[:：]|[?？؟] {0,3}[:：]?))[*_]{0,3}(.*)$")
_BRACKETED = re.compile(r"\s*[(\[（][^)\]）]*[)\]）]\s*")
_CHOICE = re.compile(r"\s*\(?\s*(\w+)\s*/\s*(\w+)\s*\)?\s*")


@dataclass(frozen=True, slots=True)
class Form:
    """Label kind -> value as written (maybe empty), the prose before the form, and whether the choice was left open."""

    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    before: str = ""

    def value(self, label: str) -> str:
        """The value beside a label, on one line, ``""`` where absent."""
        return " ".join(self.values.get(label, "").split())


def read_form(reply: str, lexicon: Lexicon) -> Form | None:
    """The form in a reply, or None: two labelled lines or more, a name or words among them."""
    values: dict[str, str] = {}
    before: list[str] = []
    current = ""
    for line in reply.split("\n"):
        label, value = _labelled(line, lexicon)
        if label and label not in values and current != "quote":
            values[label], current = value, label
        elif current:
            values[current] = _continued(values[current], line, current)
        else:
            before.append(line)
    if len(values) < 2 or not ({"name", "quote"} & values.keys()):
        return None
    return Form(MappingProxyType({label: value.strip() for label, value in values.items()}), "\n".join(before).strip())


def _continued(value: str, line: str, label: str) -> str:
    """Only the words and an empty value go on over the next line."""
    if label == "quote" or (not value.strip() and line.strip()):
        return f"{value}\n{line}"
    return value


def _labelled(line: str, lexicon: Lexicon) -> tuple[str, str]:
    """The kind of label a line begins with, and the rest; ``("", line)`` where there is none."""
    found = _LINE.match(line.lstrip(" \t>*_•·–-"))
    if found is None:
        return "", line
    label = lexicon.labels.get(_bare(found[1]))
    if label is not None:
        return label, _without_choice(found[2]) if label == "publish" else found[2].strip()
    return "", line


def _bare(label: str) -> str:
    """A label without its colon, marks and hints in brackets, folded."""
    text = fold(label).strip()
    text = text.rstrip(":： ").strip("*_ ")
    return _BRACKETED.sub(" ", text).strip().rstrip("?？؟ ").strip()


def _without_choice(value: str) -> str:
    """The answer beside an untouched or answered "yes/no"."""
    found = _CHOICE.match(value)
    return value[found.end() :].strip() if found else value


def refuses(form: Form, lexicon: Lexicon) -> bool:
    """Whether the form says no to publication; an untouched choice does not."""
    answer = list(re.findall(r"\w+['’]?\w*", fold(form.value("publish"))))
    return bool(answer) and answer[0] not in lexicon.yes and any(word in lexicon.no for word in answer[:3])
