"""How a browser and its typesetter read HTML, written independently of what makes it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt

_TAG_NAMES = """a blockquote br code del div em h1 h2 h3 h4 h5 h6 hr li ol p pre s span strong table
tbody td th thead tr ul"""
TAGS = set(_TAG_NAMES.split())
VOID = {"br", "hr"}
ATTRIBUTES = {
    "a": {"href", "target", "rel"},
    "ol": {"start"},
    "div": {"class"},
    "span": {"class"},
    "td": {"class"},
    "th": {"class"},
}
OUR_CLASS = re.compile(
    r"highlight|claude-magic(-maths|-right|-center|-footnotes?)?|[a-z]{1,3}[0-9]?"
)
SCHEME = re.compile(r"(https?://|mailto:)", re.IGNORECASE)


class Page(HTMLParser):
    """What an HTML text holds: `faults` (what must not be), `runs` of text, `links`, `text`."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.runs: list[str] = [""]
        self.links: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(source)
        self.close()
        self.faults += [f"unclosed {tag}" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.faults.append(f"tag {tag}")
        for name, value in attrs:
            self._attribute(tag, name, value or "")
        if tag == "a" and dict(attrs).get("rel") != "noopener noreferrer":
            self.faults.append("link without rel")
        if tag not in VOID:
            self._open.append(tag)
        self.runs.append("")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name not in ATTRIBUTES.get(tag, set()):
            self.faults.append(f"attribute {tag} {name}")
        if name == "class" and not all(OUR_CLASS.fullmatch(part) for part in value.split()):
            self.faults.append(f"class {value}")
        if name == "href":
            self.links.append(value)
            if not SCHEME.match(value):
                self.faults.append(f"link {value}")
        if name == "target" and value != "_blank":
            self.faults.append(f"target {value}")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"stray end of {tag}")
        self.runs.append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if not {"pre", "code"} & set(self._open):
            self.runs[-1] += data

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"declaration {decl}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"instruction {data}")

    @property
    def formulas(self) -> list[str]:
        """What MathJax, as JupyterLab sets it up, would typeset."""
        return [formula for run in self.runs for formula in typeset(run)]


START = re.compile(
    r"(?P<open>\$\$|\\\(|\\\[|\$)|\\begin\s*\{(?P<name>[^}]*)\}|\\[\\$]"
    r"|(?P<ref>\\(?:eq)?ref\s*\{[^}]*\})"
)
ENDS = {"$": "$", "$$": "$$", "\\(": "\\)", "\\[": "\\]"}


def typeset(run: str) -> list[str]:
    """The formulas in one run of text, by the rules of MathJax's FindTeX (processEscapes,
    processEnvironments, processRefs)."""
    found = []
    position = 0
    while start := START.search(run, position):
        position = start.end()
        if start["ref"]:
            found.append(start["ref"])
        elif start["open"] or start["name"] is not None:
            closer = ENDS[start["open"]] if start["open"] else f"\\end{{{start['name']}}}"
            end = _end(run, position, closer)
            if end:
                found.append(run[start.start() : end])
                position = end
    return found


def _end(run: str, position: int, closer: str) -> int | None:
    braces = 0
    for found in re.finditer(re.escape(closer) + r"|\\(?:[a-zA-Z]|.)|[{}]", run[position:]):
        if found.group() == closer and braces == 0:
            return position + found.end()
        if found.group() == "{":
            braces += 1
        elif found.group() == "}" and braces:
            braces -= 1
    return None


class _Trusting(MarkdownIt):
    """A parser as a front end has it that trusts what it shows: HTML on, any link."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 # markdown-it's name
        return True


def active_parts(markdown: str) -> list[str]:
    """The HTML, images and links to other schemes that a trusting parser finds."""
    found = []
    for parser in (_Trusting("commonmark"), _Trusting("commonmark").enable("table")):
        for token in parser.parse(markdown):
            for part in (token, *(token.children or ())):
                if part.type in ("html_block", "html_inline", "image"):
                    found.append(part.type)
                href = part.attrGet("href")
                if href is not None and not SCHEME.match(str(href)):
                    found.append(str(href))
    return found
