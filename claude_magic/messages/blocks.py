"""Content blocks and messages in the wire form of the Messages API, built by small constructors.

A block is a dict exactly as the API sends or takes it. Blocks of a kind that is not listed here
are kept verbatim, so `Block` is any mapping; the TypedDicts say what ours look like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Block: TypeAlias = Mapping[str, Any]
"""One content block, known or unknown, as on the wire."""

NOT_ALLOWED = "This call was not allowed by the user"
"""How the result of a tool's call begins that the user did not allow."""

Role: TypeAlias = Literal["user", "assistant"]

_IMAGE_LABEL = "Image "
_IMAGE_NOTE = "[Of the image above: "


class TextBlock(TypedDict):
    type: Literal["text"]
    text: str


class Base64Source(TypedDict):
    """`data` is base64 without line breaks and without a `data:` prefix."""

    type: Literal["base64"]
    media_type: str
    data: str


class URLSource(TypedDict):
    type: Literal["url"]
    url: str


class TextSource(TypedDict):
    """`data` is the text itself, not base64."""

    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


class ImageBlock(TypedDict):
    type: Literal["image"]
    source: Base64Source | URLSource


class CitationsSetting(TypedDict):
    enabled: bool


class DocumentBlock(TypedDict):
    """`title` and `context` are for the model; only what is in `source` can be cited."""

    type: Literal["document"]
    source: Base64Source | URLSource | TextSource
    title: NotRequired[str]
    context: NotRequired[str]
    citations: NotRequired[CitationsSetting]


class Message(TypedDict):
    """One entry of a request's `messages`; a `str` content means one text block."""

    role: Role
    content: str | Sequence[Block]


def text(value: str) -> TextBlock:
    """A text block. Lone surrogates, which UTF-8 cannot carry, become U+FFFD."""
    return {"type": "text", "text": replace_surrogates(value)}


def image_label(number: int) -> TextBlock:
    """What stands before the image of this number where several go along, to tell them apart."""
    return text(f"{_IMAGE_LABEL}{number}:")


def is_image_label(block: Block) -> bool:
    """Whether a block is such a label: words of ours, and nothing that the user said."""
    number = str(block.get("text", "")).removeprefix(_IMAGE_LABEL).removesuffix(":")
    return block.get("type") == "text" and number.isdecimal() and block == image_label(int(number))


def image_note(note: str) -> TextBlock:
    """What stands after an image where it does not show all of its source as it was."""
    return text(f"{_IMAGE_NOTE}{note}.]")


def is_image_note(block: Block) -> bool:
    """Whether a block is such a note: words of ours, and nothing that the user said."""
    said = str(block.get("text", ""))
    return block.get("type") == "text" and said.startswith(_IMAGE_NOTE) and said.endswith(".]")


def image_base64(media_type: str, data: str) -> ImageBlock:
    """An image block from base64 `data` (no line breaks, no `data:` prefix)."""
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def document_base64(
    media_type: str,
    data: str,
    title: str | None = None,
    *,
    context: str | None = None,
    cite: bool = False,
) -> DocumentBlock:
    """A document block (`application/pdf`) from base64 `data`; `cite` turns citations on."""
    source: Base64Source = {"type": "base64", "media_type": media_type, "data": data}
    return _document(source, title, context, cite=cite)


def document_url(
    url: str, title: str | None = None, *, context: str | None = None, cite: bool = False
) -> DocumentBlock:
    """A document block for a PDF that the server fetches from `url`."""
    return _document({"type": "url", "url": url}, title, context, cite=cite)


def document_text(
    value: str, title: str | None = None, *, context: str | None = None, cite: bool = False
) -> DocumentBlock:
    """A plain-text document block."""
    data = replace_surrogates(value)
    source: TextSource = {"type": "text", "media_type": "text/plain", "data": data}
    return _document(source, title, context, cite=cite)


def _document(
    source: Base64Source | URLSource | TextSource,
    title: str | None,
    context: str | None,
    *,
    cite: bool,
) -> DocumentBlock:
    block: DocumentBlock = {"type": "document", "source": source}
    if title:
        block["title"] = replace_surrogates(title)
    if context:
        block["context"] = replace_surrogates(context)
    if cite:
        block["citations"] = {"enabled": True}
    return block


def message(role: Role, content: Sequence[Block]) -> Message:
    """A message; a single plain text block is written as the string the API also takes."""
    if len(content) == 1 and set(content[0]) == {"type", "text"} and content[0]["type"] == "text":
        return {"role": role, "content": str(content[0]["text"])}
    return {"role": role, "content": list(content)}


def content_blocks(message: Mapping[str, Any]) -> list[Block]:
    """The content of a message as blocks, whether it was written as a string or a list."""
    content = message["content"]
    return [text(content)] if isinstance(content, str) else list(content)


def sendable(blocks: Iterable[Block]) -> list[Block]:
    """The blocks without empty text blocks, which the API returns but refuses to take back."""
    return [b for b in blocks if b.get("type") != "text" or str(b.get("text", "")).strip()]


def joined_text(blocks: Iterable[Block]) -> str:
    """The text blocks joined without a separator (citations split sentences into blocks)."""
    return "".join(str(b.get("text", "")) for b in blocks if b.get("type") == "text")


def replace_surrogates(value: str) -> str:
    """`value` with lone surrogates replaced by U+FFFD, so that it can be encoded as UTF-8."""
    if value.isascii():  # which costs nothing to ask
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


TOOLSET = "computer"
"""The `toolset_name` of a toolset's calls, and the name of the older tool."""


def is_call(block: Block) -> bool:
    """Whether a `tool_use` block calls the computer: a member of the toolset, or the older tool."""
    toolset = block.get("toolset_name")
    return toolset == TOOLSET or (toolset is None and block.get("name") == TOOLSET)
