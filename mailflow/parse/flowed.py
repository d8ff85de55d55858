"""format=flowed (RFC 3676): soft-broken lines joined again."""

SIGNATURE_LINE = "-- "


def unflow(text: str, *, delsp: bool) -> str:
    """Joins lines that end in a space with the next of the same quote depth (§4.1), undoes space-stuffing (§4.4). Linear."""
    out: list[str] = []
    paragraph: list[str] = []
    depth = 0
    for line in text.split("\n"):
        level = len(line) - len(line.lstrip(">"))
        content = line[level:].removeprefix(" ")
        fixed = content == SIGNATURE_LINE
        if paragraph and (level != depth or fixed):
            out.append(_line(depth, paragraph))
            paragraph = []
        depth = level
        soft = content.endswith(" ") and not fixed
        paragraph.append(content[:-1] if soft and delsp else content)
        if not soft:
            out.append(_line(depth, paragraph))
            paragraph = []
    if paragraph:
        out.append(_line(depth, paragraph))
    return "\n".join(out)


def _line(depth: int, pieces: list[str]) -> str:
    text = "".join(pieces)
    return f"{'>' * depth} {text}" if depth else text
