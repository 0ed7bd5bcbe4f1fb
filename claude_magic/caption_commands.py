"""`claude-magic caption` and `caption-images`: alt text and tables of captions, from a shell."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .captions.image_question import GoOn, Job
    from .captions.job import Access
    from .captions.notebooks.alt_text import Notebooks
    from .captions.notebooks.caption_journal import Journal
    from .captions.notebooks.notebook_run import NotebookRun

_FAILED = 1


def add_caption(commands: Any) -> None:
    """Add the command for notebooks to the subparsers of `claude-magic`."""
    parser = commands.add_parser(
        "caption",
        help="alt text for every figure of notebooks",
        description="Write captions for the figures of notebooks that have no alt text.",
        epilog="For exports with the alt text: claude-magic alt-text enable",
    )
    parser.add_argument("notebooks", nargs="+", type=Path, help="notebooks, or folders of them")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="write the alt text into the notebooks")
    what.add_argument(
        "--check", action="store_true", help="list figures without alt text; exit 1 if there are"
    )
    what.add_argument(
        "--dry-run", action="store_true", help="list what would be asked, with tokens and price"
    )
    what.add_argument(
        "--decorative", type=_places, metavar="CELL.FIGURE,...",
        help="mark figures as decorative: their alt text is empty; nothing is asked",
    )  # fmt: skip
    parser.add_argument("--redo", action="store_true", help="figures that have alt text too")
    parser.add_argument(
        "--allow-outside", action="store_true",
        help="notebooks and images outside of the folder that is named, or of the notebook's, too",
    )  # fmt: skip
    parser.add_argument("--format", choices=("md", "json", "csv"), default="md")
    parser.add_argument("--prompt", default="", help="what else to tell the model")
    add_common(parser, concurrency=4)


def add_common(parser: argparse.ArgumentParser, concurrency: int) -> None:
    """Add the options that all commands for captions have."""
    parser.add_argument("-m", "--model", help="model or alias; default: as is set")
    parser.add_argument("--budget", type=float, metavar="USD", help="spend no more than this")
    parser.add_argument(
        "-j", "--jobs", "--concurrency", type=_jobs, default=concurrency, metavar="N",
        dest="concurrency",
        help=f"requests at once; by default {concurrency}, fewer where rate limits say so",
    )  # fmt: skip
    parser.add_argument("--hires", action="store_true", help="images up to the model's limit")
    parser.add_argument(
        "--keep-going", action="store_true",
        help="do not stop where image after image fails in the same way",
    )  # fmt: skip


def caption(given: argparse.Namespace) -> int:
    """Run `claude-magic caption`; the exit status."""
    from .captions.notebooks.alt_text import Notebooks, missing

    if given.decorative is not None:
        return _decorate(given)
    notebooks = Notebooks(given.notebooks, redo=given.redo, outside=given.allow_outside)
    if given.check:
        print(missing(notebooks.read()))
        without = notebooks.wanted or notebooks.unpictured
        return _FAILED if without or notebooks.unread else 0
    from .api import access_here, journal_folder
    from .captions.notebooks.caption_journal import Journal
    from .captions.notebooks.notebook_run import NotebookRun

    access, left = access_here()
    job = _job(given, access)
    journal = Journal(journal_folder(), job.digest, redo=given.redo)
    for line in (*job.notices, journal.problem):
        if line:
            print(line, file=sys.stderr)
    if given.dry_run:
        _dry_run(notebooks, job, journal)
        return _FAILED if notebooks.unread else 0
    run = NotebookRun(notebooks, job, journal, write=given.write)
    return _ask(run, job, access, given, left if given.budget is None else given.budget)


def _job(given: argparse.Namespace, access: Access) -> Job:
    from .api import long_edge
    from .captions.job import CAPTION_PROMPT, Wanted, job_of

    edge = long_edge(given.hires, given.model, access)
    prompt = f"{CAPTION_PROMPT} {given.prompt}" if given.prompt else ""
    return job_of(Wanted(prompt=prompt, model=given.model, long_edge=edge), access)


def _ask(
    run: NotebookRun, job: Job, access: Access, given: argparse.Namespace, budget: float
) -> int:
    from .captions.image_question import JobBudget
    from .captions.notebooks.alt_text import FORMATS

    purse, notebooks = JobBudget(budget, access.spend), run.notebooks
    try:
        # What has come is written even where the rest failed: it is paid.
        with run:
            if run.is_needed():
                with access.client(given.concurrency) as (client, limit):
                    run.ask(client, purse, limit, _going_on(given))
    finally:
        asked = [p for p in notebooks.wanted if p.answer or p.error]
        if asked or notebooks.unread or given.format != "md":
            print(FORMATS[given.format](asked, notebooks.unread))
        _summary(run, job, written=given.write)
    return _FAILED if notebooks.unread or any(p.error for p in notebooks.wanted) else 0


def _summary(run: NotebookRun, job: Job, *, written: bool) -> None:
    """Say on stderr what was done, so that what is on stdout can go into a file."""
    from .messages.plain_text import count

    notebooks = run.notebooks
    answers = [p.answer for p in notebooks.wanted if p.answer and not p.error]
    unpictured = len(notebooks.unpictured)
    described = len(notebooks.placed) - len(notebooks.wanted) - unpictured
    cost = sum(answer.cost or 0.0 for answer in answers)
    price = f"{'would cost ' if job.free else ''}${cost:.3f}"
    failed = sum(bool(p.error) for p in notebooks.wanted)
    said = [f"{len(answers)} captioned, {price}", f"{described} had alt text or are decorative"]
    if run.kept:
        said.insert(1, f"{run.kept} of them as an earlier run has them")
    if unpictured:
        said.append(f"{unpictured} without a picture to look at, which --check lists")
    if failed:
        said.append(f"{failed} failed")
    if notebooks.unread:
        said.append(f"{count(len(notebooks.unread), 'notebook')} not read")
    if written:
        said.append(f"alt text of {run.written} written")
    elif answers:
        said.append("nothing written: --write does")
    print("; ".join(said), file=sys.stderr)
    if written and run.written:
        from .captions.notebooks.export_setting import configuration, is_enabled

        if not is_enabled(configuration()):
            print(
                "For exports of nbconvert and JupyterLab to bear it: claude-magic alt-text enable",
                file=sys.stderr,
            )


def _dry_run(notebooks: Notebooks, job: Job, journal: Journal) -> None:
    from .captions.notebooks.alt_text import estimates

    total, cost, requests = 0, 0.0, 0
    for placed, tokens, price in estimates(notebooks, job, journal):
        total, cost, requests = total + tokens, cost + (price or 0.0), requests + 1
        print(f"{placed.name}: about {tokens:,} tokens, ${price or 0.0:.4f}")
    for placed in notebooks.wanted:
        if placed.error:
            print(f"{placed.name}: left out, {placed.error}")
    for unread in notebooks.unread:
        print(unread)
    kept = len(notebooks.placed) - len(notebooks.wanted) - len(notebooks.unpictured)
    print(
        f"{requests} requests to {job.model.id} for {len(notebooks.wanted)} figures, {kept} kept: "
        f"about {total:,} tokens in, ${cost:.2f} with the answers. Nothing was sent."
    )


def _decorate(given: argparse.Namespace) -> int:
    from .captions.notebooks.alt_text import decorated
    from .captions.notebooks.notebook_file import NotebookFile
    from .captions.notebooks.notebook_paths import Unread, notebook_paths
    from .messages.errors import InputError

    if len(given.notebooks) != 1 or given.notebooks[0].is_dir():
        raise InputError("--decorative marks figures of one notebook: name one.")
    (place,) = notebook_paths(given.notebooks, outside=given.allow_outside)
    if isinstance(place, Unread):
        raise InputError(str(place))
    file = NotebookFile(place.path)
    file.write(decorated(file, given.decorative))
    print(f"Marked as decorative in {file.path}: {len(given.decorative)}.", file=sys.stderr)
    return 0


def _places(text: str) -> list[tuple[int, int]]:
    """`4.1,7.2` as cell and figure; `4` alone is its first figure."""
    found = []
    for item in text.split(","):
        cell, _, figure = item.strip().partition(".")
        if not cell.isdecimal() or not (figure or "1").isdecimal():
            raise argparse.ArgumentTypeError(f"{item!r} is no figure: write 4.1, or 4.1,7.2")
        found.append((int(cell), int(figure or "1")))
    return found


def _going_on(given: argparse.Namespace) -> GoOn | None:
    """Whom to ask whether to go on: nobody where it is said already, or where nobody is there."""
    if given.keep_going:
        return lambda _: True
    return _asked if sys.stdin.isatty() and sys.stderr.isatty() else None


def _asked(said: str) -> bool:
    print(f"\n{said}\nGo on all the same? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _jobs(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of requests: give 1 or more")
    return int(text)


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
    from .api import access_here, long_edge
    from .captions.datasets.caption_run import CaptionRun, How, check, estimate, written
    from .captions.job import Wanted

    access, left = access_here()
    edge = long_edge(given.hires, given.model, access)
    wanted = Wanted(_schema(given.schema), given.prompt, given.model, long_edge=edge)
    how = How(
        given.out,
        given.concurrency,
        left if given.budget is None else given.budget,
        progress=not given.quiet,
        engine=given.engine,
        go_on=_going_on(given),
    )
    images, skipped = _images(given.images)
    with CaptionRun(images, wanted, check(how), access) as job:
        for line in (*skipped, *job.notices):
            print(line, file=sys.stderr)
        if given.dry_run:
            print(estimate(job))
            return 0
        job.ask()
        written(job)
    if job.stopped:
        print(job.stopped, file=sys.stderr)
    print(f"{given.out}: {job.tally}", file=sys.stderr)
    return _FAILED if job.tally.errors else 0


def _images(names: list[str]) -> tuple[object, list[str]]:
    """The images that names stand for, one after the other, and what of folders is skipped.

    What one name alone stands for is told by the job.
    """
    from .captions.datasets.rows import rows_of

    if len(names) == 1:
        return names[0], []
    rows = [rows_of(name) for name in names]
    return [row.source for some in rows for row in some], [s.skipped for s in rows if s.skipped]


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


def add_alt_text(commands: Any) -> None:
    """Add the command for exports to the subparsers of `claude-magic`."""
    parser = commands.add_parser(
        "alt-text",
        help="have nbconvert's and JupyterLab's exports bear alt text, or no more",
        description="Have what nbconvert and JupyterLab's Save and Export make of notebooks bear "
        "the alt text of figures, by some lines in your own Jupyter configuration.",
    )
    parser.add_argument("what", choices=("enable", "disable", "status"))


def alt_text(given: argparse.Namespace) -> int:
    """Run `claude-magic alt-text`; the exit status."""
    from .captions.notebooks import export_setting

    file = export_setting.configuration()
    if given.what == "enable":
        new = export_setting.enable(file)
        print(f"Exports bear alt text{' from now on' if new else ' already'}: {file}")
        if new:
            print("A JupyterLab that runs has to be started again for its Save and Export.")
    elif given.what == "disable":
        gone = export_setting.disable(file)
        print(f"Exports bear no alt text{' any more' if gone else ''}: {file}")
    else:
        on = export_setting.is_enabled(file)
        print(f"Exports bear {'alt text' if on else 'no alt text'}: {file}")
    return 0
