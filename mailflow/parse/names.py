"""Names of people: what looks like one, how it is printed, and whether two can be the same person's."""

import re
import unicodedata
from collections.abc import Iterable

from mailflow.parse.fold import UNSPACED, fold, words_of
from mailflow.parse.lexicon import Lexicon

MOST_GRAPHEMES = 100
_PARTICLES = frozenset(
    [
        "van",
        "von",
        "der",
        "den",
        "de",
        "del",
        "della",
        "di",
        "da",
        "dos",
        "das",
        "do",
        "du",
        "des",
        "la",
        "le",
        "el",
        "al",
        "ul",
        "bin",
        "ibn",
        "bint",
        "ben",
        "ap",
        "ab",
        "zu",
        "zum",
        "zur",
        "ten",
        "ter",
        "te",
        "af",
        "av",
        "y",
        "e",
        "i",
        "und",
        "van't",
        "'t",
        "d'",
        "l'",
        "of",
        "and",
        "mac",
        "mc",
        "ni",
        "nic",
        "o",
        "san",
        "abu",
        "um",
    ]
)
_FIRST_PARTICLES = frozenset(
    [
        "van",
        "von",
        "der",
        "den",
        "de",
        "del",
        "della",
        "di",
        "da",
        "dos",
        "das",
        "du",
        "la",
        "le",
        "el",
        "al",
        "bin",
        "ibn",
        "ter",
        "ten",
        "te",
        "af",
        "d",
        "l",
        "o",
        "'t",
        "t",
    ]
)
_MARKS_RUN = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3,}")
_NOT_IN_A_NAME = re.compile(
    r"[@#$%^*=<>{}\[\]|\\~_+!?;\d\u20a0-\u20cf\u2190-\u2bff\U0001f000-\U0001ffff]|https?:|www\.|://|\.(?:com|org|net|example|io|de)\b"
)
_CONTROLS = re.compile("[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_VIA = re.compile(r"\s+(?:via|über|par|a través de|through|für)\s+.*$", re.IGNORECASE)
_BRACKETS = re.compile(r"\s*[(\[{<][^)\]}>]*[)\]}>]\s*|\s*[|/].*$")
_CJK_NAME = re.compile(
    "[\u3400-\u9fff\uf900-\ufaff\u3005\u30a0-\u30ff]{1,4}[ \u3000]?[\u3400-\u9fff\u3005\u3040-\u30ff]{1,5}|[\u30a0-\u30ff・=＝ ]{3,24}|[\u3040-\u309f]{2,6}[ \u3000]?[\u3040-\u309f]{0,6}"
)
_HANGUL_NAME = re.compile("[\uac00-\ud7a3]{1,2}[ ]?[\uac00-\ud7a3]{1,3}")
_SIGNED = re.compile("\\s*(?:드림|올림|배상|拝|敬上|謹上|谨上|敬启|より|さん|様|先生|女士|小姐|님|씨)$")
_PIECE_EDGE = " \t,;:.·•|–—-_*~/\\\"'“”„«»،؛、。，：!()"


def script_of(text: str) -> str:
    """The script of most letters: LATIN, CYRILLIC, ARABIC, CJK ...; kana, Han and Hangul are told apart."""
    if text.isascii():
        return "LATIN" if any(map(str.isalpha, text)) else ""
    counts: dict[str, int] = {}
    for char in text:
        if char.isalpha():
            script = "LATIN" if char.isascii() else unicodedata.name(char, "?").split(" ", 1)[0]
            counts[script] = counts.get(script, 0) + 1
    return max(counts, key=lambda script: counts[script]) if counts else ""


def is_cased(text: str) -> bool:
    """Whether a text's script has capital letters."""
    return text.lower() != text.upper()


def name_words(name: str) -> list[str]:
    """The folded words of a name; a hyphen parts them."""
    return words_of(fold(name))


def looks_like_name(text: str, lexicon: Lexicon) -> bool:
    """Whether a short text can be a person's full or given name, by its shape alone."""
    text, _ = split_honorifics(text.strip(_PIECE_EDGE), lexicon)
    if not 1 < len(text) <= MOST_GRAPHEMES or _NOT_IN_A_NAME.search(text) or fold(text) in lexicon.countries:
        return False
    if UNSPACED.search(text) and not is_cased(text):
        return bool(_CJK_NAME.fullmatch(text)) or (script_of(text) == "THAI" and len(text) <= 40)
    if script_of(text) == "HANGUL":
        return bool(_HANGUL_NAME.fullmatch(text))
    parts = text.split()
    if not 1 <= len(parts) <= 6 or (text[-1] in ".!?।" and len(parts[-1].strip(".")) > 2):
        return False
    if any(part.endswith(".") and len(part) > 3 and not part.isupper() for part in parts[:-1]):
        return False
    if not is_cased(text):
        return len(parts) <= 5
    return all(_name_part(part) for part in parts) and (
        parts[0][0].isupper() or fold(parts[0]).rstrip("'’").split("'")[0] in _FIRST_PARTICLES
    )


def _name_part(part: str) -> bool:
    bare = part.strip(".,'’\"")
    return bool(bare) and (
        bare[0].isupper()
        or bare[:2].lower() in ("d'", "l'", "o'", "d’", "l’", "o’")
        or bare.lower() in _PARTICLES
        or bare[:3] in ("al-", "el-", "ad-", "as-", "ul-")
    )


def split_honorifics(text: str, lexicon: Lexicon) -> tuple[str, str]:
    """A name without the honorifics before it and the degrees behind it, and those, joined by spaces."""
    words, before, after = (text if text.isascii() else _SIGNED.sub("", text)).split(), [], list[str]()
    while len(words) > 1 and _is_honorific(words[0], lexicon):
        before.append(words.pop(0))
    while len(words) > 1 and fold(words[-1]).strip(".,") in lexicon.degrees and (words[-1].isupper() or words[-1] != words[-1].lower()):
        after.insert(0, words.pop().strip(","))
    return " ".join(words).rstrip(","), ", ".join(filter(None, (" ".join(before), " ".join(after))))


def _is_honorific(word: str, lexicon: Lexicon) -> bool:
    bare = fold(word).strip(".,:")
    return bare in lexicon.honorifics and (word[0].isupper() or "." in word or not is_cased(word))


def printed(raw: str, lexicon: Lexicon) -> str:
    """A name as it is printed: one line, no controls, honorifics, brackets or shouting; ``""`` where nothing remains."""
    text = _CONTROLS.sub("", " ".join(unicodedata.normalize("NFC", raw).split()))
    text = _VIA.sub("", _BRACKETS.sub(" ", text)).strip()
    family, comma, given = text.partition(", ")
    if comma and given and len(family.split()) <= 3 and len(given.split()) <= 3 and fold(given).strip(".") not in lexicon.degrees:
        text = f"{given} {family}"
    text, _ = split_honorifics(" ".join(text.split()).strip(_PIECE_EDGE.replace(".", "").replace("'", "")), lexicon)
    return in_normal_case(text.strip(' "“”„«»'))


def in_normal_case(name: str) -> str:
    """ALL CAPS or all lower case turned into a name's usual case; mixed case stays as written."""
    words = name.split()
    if len(words) >= 2 and name == name.upper() and name != name.lower() and any(len(word.strip(".")) > 2 for word in words):
        return " ".join(_capitalised(word) for word in words)
    if len(words) >= 2 and name == name.lower() and name != name.upper():
        return " ".join(word if word in _PARTICLES else _capitalised(word) for word in words)
    if len(words) >= 2 and words[-1].isupper() and len(words[-1]) > 3 and not words[0].isupper():
        return " ".join([*words[:-1], _capitalised(words[-1])])
    return " ".join(words)


def _capitalised(word: str) -> str:
    return re.sub(r"[^\W\d_]+", lambda run: run[0][:1].upper() + run[0][1:].lower(), word)


def is_odd(name: str) -> bool:
    """Whether a name should not be printed unseen: addresses, digits, formulas, spoofing marks, zalgo, over-long."""
    if len(name) <= MOST_GRAPHEMES and name.isascii() and name.replace(" ", "").isalpha():
        return False
    return bool(
        _NOT_IN_A_NAME.search(name) or _CONTROLS.search(name) or _MARKS_RUN.search(unicodedata.normalize("NFD", name))
        or len(name) > 3 * MOST_GRAPHEMES or graphemes(name) > MOST_GRAPHEMES or name[:1] in "=+-@" or not any(char.isalpha() for char in name)
        or _mixes_scripts(name)
    )  # fmt: skip


def graphemes(text: str) -> int:
    """User-perceived characters, counted as characters that are not combining marks."""
    return sum(1 for char in text if not unicodedata.category(char).startswith("M"))


def _mixes_scripts(name: str) -> bool:
    """One word of Latin and Cyrillic or Greek letters is a disguise."""
    return not name.isascii() and any(
        len({script for char in word if (script := _lookalike_script(char))}) > 1 for word in re.findall(r"\w+", name)
    )


def _lookalike_script(char: str) -> str:
    if char.isascii():
        return "LATIN" if char.isalpha() else ""
    script = unicodedata.name(char, "?").split(" ", 1)[0]
    return script if script in ("LATIN", "CYRILLIC", "GREEK") and char.isalpha() else ""


def shares_a_word(one: str, other: str) -> bool:
    """Whether two names have a word, or a word and its initial or short form, in common."""
    mine, theirs = name_words(one), name_words(other)
    return any(_same_word(a, b) for a in mine for b in theirs if len(a) > 1 or len(b) > 1)


def _same_word(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    return a == b or (len(short) >= 3 and long.startswith(short)) or (len(short) >= 5 and short in long)


def covers(full: str, part: str) -> bool:
    """Whether every word of ``part`` is a word, or the initial of a word, of ``full``."""
    mine = name_words(full)
    return all(any(word == other or (len(word) == 1 and other.startswith(word)) for other in mine) for word in name_words(part))


def in_local_part(name: str, address: str) -> bool:
    """Whether the address's local part shows a word of the name."""
    local = fold(address.rpartition("@")[0])
    return any(
        len(word) >= 3 and (word in local or any(len(run) >= 4 and word.startswith(run) for run in re.findall(r"[a-z]+", local)))
        for word in name_words(name)
    )


def fullest(names: Iterable[str]) -> str:
    """The fullest of several compatible forms of one name: the first with the most whole words."""
    return max(
        names,
        key=lambda name: (sum(len(word) > 1 for word in name_words(name)), UNSPACED.search(name) is not None and len(name)),
        default="",
    )
