"""`claude-magic caption-images`: a table of captions for many images, from a shell."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from .caption_commands import add_common

_FAILED = 1


def add_caption_images(commands: Any) -> None:
    """Add the command for images to the subparsers of `claude-magic`."""
    parser = commands.add_parser(
        "caption-images",
        help="a table of captions for many images",
        description="Write a table with a row for each image; run it again to go on after a stop.",
    )
    parser.add_argument("images", nargs="+", help="folders, patterns, files or addresses")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE",
        help="the table: .parquet, .csv or .jsonl",
    )  # fmt: skip
    parser.add_argument("--schema", type=Path, metavar="FILE", help="a JSON schema of your own")
    parser.add_argument("--prompt", default="", help="what to do, in place of writing captions")
    parser.add_argument(
        "--dry-run", action="store_true", help="count images and price, and ask nothing"
    )
    parser.add_argument(
        "--engine", choices=("threads", "batches", "daft"), default="threads",
        help="batches: half the price, and up to a day; daft: on Daft, and on Ray",
    )  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    add_common(parser, concurrency=16)


def caption_images(given: argparse.Namespace) -> int:
    """Run `claude-magic caption-images`; the exit status."""
    from .captioning import access_here, long_edge
    from .captions.datasets.caption_job import Wanted
    from .captions.datasets.caption_run import CaptionRun, How, check, estimate, written

    access, left = access_here()
    edge = long_edge(given.hires, given.model, access)
    wanted = Wanted(_schema(given.schema), given.prompt, given.model, long_edge=edge)
    how = How(
        given.out,
        given.concurrency,
        left if given.budget is None else given.budget,
        progress=not given.quiet,
        engine=given.engine,
    )
    with CaptionRun(_images(given.images), wanted, check(how), access) as job:
        for line in job.job.notices:
            print(line, file=sys.stderr)
        if given.dry_run:
            print(estimate(job))
            return 0
        job.ask()
        written(job)
    print(f"{given.out}: {job.tally}", file=sys.stderr)
    return _FAILED if job.tally.errors else 0


def _images(names: list[str]) -> object:
    """The images that names stand for, one after the other."""
    from .captions.datasets.image_rows import rows_of

    if len(names) == 1:
        return names[0]
    return [row.source for name in names for row in rows_of(name)]


def _schema(path: Path | None) -> object:
    """The JSON schema in a file. Raises InputError."""
    import json

    from .messages.errors import InputError

    if path is None:
        return None
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no JSON schema that can be read ({error}).") from None
