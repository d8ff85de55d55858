"""format=flowed (RFC 3676): soft-broken lines joined again."""


def unflow(text: str, *, delsp: bool) -> str:
    """Joins lines that end in a space with the next of the same quote depth; undoes space-stuffing. Linear."""
    out: list[str] = []
    paragraph: list[str] = []
    depth = 0
    for line in text.split("\n"):
        level = len(line) - len(line.lstrip(">"))
        content = line[level:].removeprefix(" ")
        if paragraph and level != depth:
            out.append(_line(depth, paragraph))
            paragraph = []
        depth = level
        soft = content.endswith(" ") and content != "-- "
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
