"""Text made comparable: sentences, tokens, and letters without case, accents and points."""

import re
import unicodedata

_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640\u200b-\u200f\u2060\ufeff]+"
)
_LETTERS = (
    ("\u0131", "i"), ("\u00f8", "o"), ("\u0142", "l"), ("\u0111", "d"), ("\u00f0", "d"), ("\u00e6", "ae"), ("\u0153", "oe"),
    ("\u06cc", "\u064a"), ("\u0649", "\u064a"), ("\u06a9", "\u0643"), ("\u0629", "\u0647"), ("\u06c0", "\u0647"), ("\u06c1", "\u0647"),
    ("\u2019", "'"), ("\u02bc", "'"), ("\u2018", "'"), ("\u00b4", "'"), ("\u05f3", "'"),
)  # fmt: skip
WORD = r"[^\W_\u200b\u2060][\w\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u0e30-\u0e4e\u1000-\u109f\u1780-\u17d3\u200c\u200d\u3099]*"
TOKEN = re.compile(rf"{WORD}(?:['’ʼ´‘]{WORD})*|[,;:،，、؛–—]")
# Each choice begins with the mark itself, so that the search leaps from mark to mark; what may not stand before it is looked at then.
_END = re.compile(
    r"\.(?<![A-ZÀ-ÞА-Я]\.)(?<!\bDr\.)(?<!\bMr\.)(?<!\bMs\.)(?<!\bSt\.)(?<!\bMrs\.)(?<!\bProf\.)(?<!\bprof\.)(?<!\bdr\.)(?<!\bno\.)(?<!\bSr\.)(?<!\bSra\.)"
    r"(?<! г\.)(?<! ул\.)\.*[\"”»)\]]?(?=\s|$)|[!?…;]+[\"”»)\]]?(?=\s|$)|[。！？؟।॥｡]+"
)
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3000-\u303f\uff00-\uffef"
_BROKEN_IDEOGRAPHS = re.compile(rf"(?<=[{_IDEOGRAPHS}])\n(?=[{_IDEOGRAPHS}])")
UNSPACED = re.compile("[\u0e01-\u0e30\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")


def fold(text: str) -> str:
    """Lower case without accents, vowel points, joiners and letter variants; folding twice changes nothing more."""
    if text.isascii():
        return text.lower()
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    for letter, base in _LETTERS:
        if letter in text:
            text = text.replace(letter, base)
    return text


def tokens(text: str) -> list[str]:
    """Words (apostrophes inside) and the marks that part clauses, in order."""
    return TOKEN.findall(text)


def words_of(text: str) -> list[str]:
    """Words only."""
    return [token for token in TOKEN.findall(text) if token[0].isalnum()]


def sentences(text: str) -> list[str]:
    """The sentences of a text in order, lines of one paragraph joined; a question keeps its mark."""
    out: list[str] = []
    for paragraph in "\n".join(line.strip() for line in text.split("\n")).split("\n\n"):
        out.extend(_sentences(join_ideographs(paragraph).replace("\n", " ")))
    return out


def _sentences(paragraph: str) -> list[str]:
    out, start = [], 0
    for end in _END.finditer(paragraph):
        out.append(paragraph[start : end.end()].strip())
        start = end.end()
    out.append(paragraph[start:].strip())
    return [sentence for sentence in out if sentence]


def join_ideographs(text: str) -> str:
    """Line ends between ideographs taken out (lines are stripped already): old clients wrap Chinese and Japanese hard."""
    return _BROKEN_IDEOGRAPHS.sub("", text)


def behind_letters(text: str, count: int) -> str:
    """What follows the first letters of a text, so many that they fold to ``count`` letters."""
    return next((text[end:] for end in range(min(count, len(text)), -1, -1) if len(fold(text[:end])) <= count), "")
