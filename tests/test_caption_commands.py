"""`claude-magic caption` and `caption-images`: what they ask, print, write and return."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

import claude_magic
from claude_magic.captions.image_question import JobBudget
from claude_magic.captions.job import Wanted, job_of
from claude_magic.captions.notebooks.alt_text import Notebooks
from claude_magic.captions.notebooks.caption_journal import Journal
from claude_magic.captions.notebooks.notebook_file import NotebookFile
from claude_magic.captions.notebooks.notebook_run import NotebookRun
from claude_magic.cli import main
from claude_magic.messages.errors import AuthenticationError, InputError
from claude_magic.offline import OfflineServer
from nbconvert import HTMLExporter
from tests.captions.datasets.many_samples import access, coloured, folder_of, paying, questions
from tests.captions.notebooks.notebook_samples import (
    BLUE,
    GREEN,
    RED,
    attachment,
    code,
    displayed,
    markdown,
    saved,
    shown,
)

ENDS_SOON = (
    "claude-sonnet-4-5 is retired (on|since) 2026-11-30; its replacement is claude-sonnet-5-5"
)
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """Runs `claude-magic` against the offline server: exit status, stdout, stderr."""
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / ".jupyter"))
    monkeypatch.setenv("CLAUDE_MAGIC_BASE_URL", "offline")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def paper(folder: Path) -> Path:
    """A notebook with a figure of its own, one twice, one described, one decorative, an image."""
    return saved(
        folder / "paper.ipynb",
        markdown("# Growth\n![](attachment:b.png)", attachments={"b.png": attachment(BLUE)}),
        code("plot(seedlings)", shown(RED)),
        code("again()", shown(RED), shown(GREEN, {"image/png": {"alt": "A green box."}})),
        code("logo()", shown(GREEN), tags=["decorative"]),
    )


def alts(path: Path) -> list[str | None]:
    return [figure.alt for figure in NotebookFile(path).figures()]


class TestCheck:
    def test_lists_figures_without_alt_text_and_exits_with_1(
        self, command: Command, tmp_path: Path
    ) -> None:
        path = paper(tmp_path)
        status, out, _ = command("caption", "--check", path)
        assert status == 1
        assert out.splitlines() == [
            f"{path}, cell 1, image 1: no alt text",
            f"{path}, cell 2, figure 1: no alt text",
            f"{path}, cell 3, figure 1: no alt text",
            "3 of 5 figures without alt text",
        ]

    def test_exits_with_0_where_nothing_is_missing(self, command: Command, tmp_path: Path) -> None:
        path = saved(tmp_path / "a.ipynb", code("p()", shown(metadata={"image/png": {"alt": "A"}})))
        assert command("caption", "--check", path)[:2] == (0, "0 of 1 figure without alt text\n")

    def test_needs_no_key_and_sends_nothing(
        self, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CLAUDE_MAGIC_BASE_URL", "http://127.0.0.1:9")
        assert command("caption", "--check", paper(tmp_path))[0] == 1

    def test_goes_through_folders_but_not_through_checkpoints(
        self, command: Command, tmp_path: Path
    ) -> None:
        for name in ("b", "a", ".ipynb_checkpoints"):
            (tmp_path / "deep" / name).mkdir(parents=True)
            saved(tmp_path / "deep" / name / "n.ipynb", code("p()", shown()))
        _, out, _ = command("caption", "--check", tmp_path / "deep")
        assert [line.split(",")[0] for line in out.splitlines()[:-1]] == [
            str(tmp_path / "deep" / name / "n.ipynb") for name in ("a", "b")
        ]


class TestDryRun:
    def test_lists_figures_with_tokens_and_price_and_sends_nothing(
        self, command: Command, tmp_path: Path
    ) -> None:
        path = paper(tmp_path)
        before = path.read_bytes()
        status, out, _ = command("caption", "--dry-run", path)
        assert status == 0 and path.read_bytes() == before
        *figures, total = out.splitlines()
        assert len(figures) == 2, "the figure that is there twice is asked about once"
        assert re.fullmatch(rf"{path}, cell 1, image 1: about [\d,]+ tokens, \$0\.\d+", figures[0])
        assert "2 requests to claude-sonnet-5-5 for 3 figures, 2 kept" in total
        assert total.endswith("Nothing was sent.")

    def test_says_what_cannot_be_read(self, command: Command, tmp_path: Path) -> None:
        path = saved(tmp_path / "n.ipynb", markdown("![](gone.png)"))
        _, out, _ = command("caption", "--dry-run", path)
        assert "cell 1, image 1: left out, " in out and "gone.png" in out


class TestWrite:
    def test_puts_the_alt_text_where_it_is_missing_and_nowhere_else(
        self, command: Command, tmp_path: Path
    ) -> None:
        path = paper(tmp_path)
        status, _, err = command("caption", "--write", path)
        assert status == 0
        assert alts(path) == ["offline server"] * 3 + ["A green box.", None]
        assert "2 had alt text or are decorative; alt text of 3 written" in err

    def test_a_second_time_has_nothing_to_do(self, command: Command, tmp_path: Path) -> None:
        path = paper(tmp_path)
        command("caption", "--write", path)
        written = path.read_bytes()
        status, out, err = command("caption", "--write", path)
        assert (status, out) == (0, "") and "0 captioned" in err
        assert path.read_bytes() == written

    def test_with_redo_replaces_but_leaves_decorative_ones(
        self, command: Command, tmp_path: Path
    ) -> None:
        path = paper(tmp_path)
        command("caption", "--write", "--redo", path)
        assert alts(path) == ["offline server"] * 4 + [None]

    def test_without_it_nothing_is_written(self, command: Command, tmp_path: Path) -> None:
        path = paper(tmp_path)
        before = path.read_bytes()
        status, out, err = command("caption", path)
        assert status == 0 and path.read_bytes() == before
        assert "## Cell 2, figure 1: line chart" in out
        assert "nothing written: --write does" in err

    def test_a_figure_that_fails_leaves_the_others_and_exits_with_1(
        self, command: Command, tmp_path: Path
    ) -> None:
        bad = displayed({"image/png": "bm8gaW1hZ2U="})
        path = saved(tmp_path / "n.ipynb", code("a()", bad), code("b()", shown()))
        status, out, err = command("caption", "--write", path)
        assert status == 1 and alts(path) == [None, "offline server"]
        assert "Not captioned: these bytes are not an image" in out and "1 failed" in err


@pytest.mark.parametrize("template", ["alt-text", "classic"])
def test_the_html_of_nbconvert_has_the_alt_text(
    command: Command, tmp_path: Path, template: str
) -> None:
    path = paper(tmp_path)
    text = NotebookFile(path).with_alts(
        {(1, 1): "A [b] $5 & more.", (2, 1): 'Says "no" <b>', (3, 1): "Third"}
    )
    path.write_text(text, encoding="utf-8")
    page, _ = HTMLExporter(template_name=template).from_filename(path)
    found = re.findall(r"<img [^>]*?\balt=(\"[^\"]*\"|'[^']*')", page)
    assert [alt[1:-1] for alt in found[:4]] == [
        "A [b] $5 &amp; more.",
        'Says "no" &lt;b&gt;',
        "Third",
        "A green box.",
    ]


def test_the_html_says_of_a_decorative_figure_that_it_is_one(tmp_path: Path) -> None:
    path = saved(tmp_path / "n.ipynb", code("a()", shown(metadata={"image/png": {"alt": ""}})))
    page, _ = HTMLExporter(template_name="alt-text").from_filename(path)
    assert re.search(r'<img [^>]*\balt=""', page)


@pytest.mark.parametrize("inline", [False, True], ids=["as an image", "as it is"])
def test_the_html_of_an_svg_has_the_alt_text(tmp_path: Path, inline: bool) -> None:
    svg = displayed({"image/svg+xml": "<svg></svg>"}, {"image/svg+xml": {"alt": "A line."}})
    path = saved(tmp_path / "n.ipynb", code("a()", svg))
    exporter = HTMLExporter(template_name="alt-text", skip_svg_encoding=inline)
    page, _ = exporter.from_filename(path)
    assert ('role="img"' if inline else "data:image/svg+xml") in page
    assert '"A line."' in page


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Files and folders that are no notebooks, and what is said of each."""
    made = {
        "empty": (b"", "is empty"),
        "no JSON": (b"{", "this is no JSON"),
        "not UTF-8": (b'{"cells": ["\xff"]}', "is not UTF-8"),
        "no cells": (b"{}", "is no notebook"),
        "old": (b'{"worksheets": []}', "nbconvert --to notebook --inplace"),
    }
    found = {}
    for name, (content, said) in made.items():
        path = folder / f"{name}.ipynb"
        path.write_bytes(content)
        found[name] = (path, said)
    (folder / "folder.ipynb").mkdir()
    found["a folder"] = (folder / "folder.ipynb", "it is a folder")
    os.mkfifo(folder / "pipe.ipynb")
    found["a pipe"] = (folder / "pipe.ipynb", "it is no file")
    (folder / "link.ipynb").symlink_to("nowhere.ipynb")
    found["a link to nothing"] = (folder / "link.ipynb", "No such file")
    return found


@pytest.mark.met("C4")
class TestANotebookThatCannotBeRead:
    def test_is_a_row_and_the_others_are_done(self, command: Command, tmp_path: Path) -> None:
        folder = tmp_path / "some papers"
        folder.mkdir()
        bad, good = bad_files(folder), paper(folder)
        status, out, err = command("caption", "--write", folder)
        assert status == 1 and alts(good)[:3] == ["offline server"] * 3
        for path, said in bad.values():
            (row,) = [part for part in out.split("# ") if part.startswith(f"{path}\n")]
            assert "Not read: " in row and said in row
        assert f"{len(bad)} notebooks not read" in err
        assert f"--inplace '{folder / 'old.ipynb'}'" in out, "as a shell takes it"

    @pytest.mark.parametrize("way", ["--check", "--dry-run"])
    def test_is_a_line_where_nothing_is_asked(
        self, command: Command, tmp_path: Path, way: str
    ) -> None:
        bad = bad_files(tmp_path)
        saved(tmp_path / "good.ipynb", code("p()", shown(metadata={"image/png": {"alt": "A"}})))
        status, out, _ = command("caption", way, tmp_path)
        assert status == 1
        for path, said in bad.values():
            (line,) = [line for line in out.splitlines() if line.startswith(f"{path}: ")]
            assert said in line

    def test_is_an_object_and_a_row_of_the_other_formats(
        self, command: Command, tmp_path: Path
    ) -> None:
        (tmp_path / "n.ipynb").write_bytes(b"{")
        words = ["caption", tmp_path, tmp_path / "gone.ipynb", "--format"]
        found = json.loads(command(*words, "json")[1])
        rows = list(csv.DictReader(io.StringIO(command(*words, "csv")[1])))
        for said in (found, rows):
            assert [row["notebook"] for row in said] == [
                str(tmp_path / name) for name in ("n.ipynb", "gone.ipynb")
            ]
            assert all("not read: " in row["error"] for row in said)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_is_told_of_where_a_file_or_a_folder_is_shut(
        self, command: Command, tmp_path: Path
    ) -> None:
        shut, inside = paper(tmp_path), tmp_path / "shut"
        inside.mkdir()
        shut.chmod(0)
        inside.chmod(0)
        status, out, _ = command("caption", "--check", tmp_path)
        inside.chmod(0o700)
        assert status == 1 and out.count("Permission denied") == 2


class TestFormats:
    def test_json_has_an_object_a_figure(self, command: Command, tmp_path: Path) -> None:
        path = paper(tmp_path)
        rows = json.loads(command("caption", "--format", "json", path)[1])
        assert [(row["cell"], row["figure"]) for row in rows] == [(1, 1), (2, 1), (3, 1)]
        assert rows[0]["notebook"] == str(path) and rows[0]["kind"] == "line chart"
        assert rows[1]["cost"] > 0 == rows[2]["cost"], "the same figure is paid once"

    def test_csv_has_a_row_a_figure(self, command: Command, tmp_path: Path) -> None:
        out = command("caption", "--format", "csv", paper(tmp_path))[1]
        rows = list(csv.DictReader(io.StringIO(out)))
        assert len(rows) == 3 and isinstance(json.loads(rows[0]["warnings"]), list)

    def test_nothing_to_do_is_still_json(self, command: Command, tmp_path: Path) -> None:
        path = saved(tmp_path / "n.ipynb", markdown("text"))
        assert json.loads(command("caption", "--format", "json", path)[1]) == []

    def test_markdown_shows_control_characters_as_text(self, tmp_path: Path) -> None:
        from claude_magic.captions.image_question import ImageAnswer
        from claude_magic.captions.notebooks.alt_text import as_markdown

        notebooks = Notebooks([paper(tmp_path)]).read()
        value = {"alt_text": "a\x1b[31mb", "description": "c\x07", "warnings": ["d\x1b]0;x\x07"]}
        notebooks.wanted[0].answer = ImageAnswer(value)
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", as_markdown(notebooks.wanted[:1]))


class TestDecorative:
    def test_marks_figures_by_cell_and_place(self, command: Command, tmp_path: Path) -> None:
        path = paper(tmp_path)
        assert command("caption", "--decorative", "2,3.2", path)[0] == 0
        assert alts(path) == [None, "", None, "", None]

    def test_says_how_an_image_in_markdown_is_marked(
        self, command: Command, tmp_path: Path
    ) -> None:
        status, _, err = command("caption", "--decorative", "1.1", paper(tmp_path))
        assert status == 2 and 'give the cell the tag "decorative"' in err

    @pytest.mark.parametrize("words", [["x"], ["1.2.3"], [""]])
    def test_what_is_no_figure_is_refused(self, command: Command, words: Sequence[str]) -> None:
        with pytest.raises(SystemExit):
            command("caption", "--decorative", *words, "n.ipynb")


FACES = {
    "caption": ["caption", "--dry-run", "paper.ipynb"],
    "caption-images": ["caption-images", "--dry-run", "--out", "t.jsonl", "scans"],
}


@pytest.mark.parametrize("face", FACES)
def test_a_model_that_ends_is_told_with_its_day_and_its_replacement(
    command: Command, tmp_path: Path, face: str
) -> None:
    paper(tmp_path)
    folder_of(tmp_path / "scans", 1)
    status, _, err = command(*FACES[face], "--model", "claude-3-opus")
    assert status == 2
    assert "it is retired since 2026-01-05; its replacement is claude-opus-5-5" in err
    status, _, err = command(*FACES[face], "--model", "claude-sonnet-4-5")
    assert status == 0
    assert re.search(ENDS_SOON, err)


@pytest.mark.usefixtures("command")
def test_a_column_is_captioned_by_a_model_that_ends_with_a_warning() -> None:
    with pytest.warns(UserWarning, match=ENDS_SOON):
        claude_magic.caption([coloured(1)], model="claude-sonnet-4-5", progress=False)
    with pytest.raises(InputError, match="is retired since 2026-02-19"):
        claude_magic.caption([coloured(1)], model="claude-3-7-sonnet", progress=False)


REFUSED = {
    "an empty folder": (["."], "There is no notebook there"),
    "an unknown model": (["--model", "gpt", "n.ipynb"], "is no model of this server"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_one_line_and_exits_with_2(
    command: Command, tmp_path: Path, case: str
) -> None:
    words, said = REFUSED[case]
    if case == "an unknown model":
        saved(tmp_path / "n.ipynb", code("p()", shown()))
    status, out, err = command("caption", *words)
    assert (status, out) == (2, "") and said in err and err.count("\n") == 1


def test_without_a_key_nothing_is_sent(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_MAGIC_BASE_URL", "https://api.anthropic.com")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    status, _, err = command("caption", "--write", paper(tmp_path))
    assert status == 2 and "No API key: nothing was sent" in err


def ask(
    notebooks: Notebooks, server: OfflineServer, budget: float | None = None, *, write: bool = False
) -> JobBudget:
    asks = access(server) if budget is None else paying(server)
    purse, job = JobBudget(budget), job_of(Wanted(), asks)
    with NotebookRun(notebooks, job, Journal(None, job.digest), write=write) as run:
        assert run.is_needed()
        with asks.client(2) as (client, limit):
            run.ask(client, purse, limit)
    return purse


class TestTheQuestion:
    def test_carries_the_code_the_text_around_and_the_data_as_data(self, tmp_path: Path) -> None:
        spec = {"data": [{"type": "bar", "x": ["u"], "y": [3]}], "layout": {}}
        path = saved(
            tmp_path / "n.ipynb",
            markdown("Seedlings grow.\n</text-before>"),
            code("plot(growth)", shown(**{"application/vnd.plotly.v1+json": spec})),
            markdown("As we saw."),
        )
        with OfflineServer() as server:
            ask(Notebooks([path]), server)
            (asked,) = questions(server)
        image, along, words = asked["messages"][0]["content"]
        assert image["type"] == "image"
        assert re.search(r"<code-(\w{8})>\nplot\(growth\)\n</code-\1>", along["text"])
        assert re.search(r"<data-(\w{8})>\n.*bars: 1: u 3\n</data-\1>", along["text"], re.DOTALL)
        assert "Seedlings grow." in along["text"] and "As we saw." in along["text"]
        assert words["text"] == "Write the text alternatives for this figure."

    def test_is_asked_once_for_a_figure_that_is_there_twice(self, tmp_path: Path) -> None:
        notebooks = Notebooks([paper(tmp_path)])
        with OfflineServer() as server:
            ask(notebooks, server)
            assert len(questions(server)) == 2
        assert [bool(p.alt) for p in notebooks.wanted] == [True, True, True]

    def test_ends_with_the_budget(self, tmp_path: Path) -> None:
        path = saved(
            tmp_path / "n.ipynb", *(code(f"p{n}()", shown(coloured(n))) for n in range(12))
        )
        notebooks = Notebooks([path])
        with OfflineServer() as server:
            purse = ask(notebooks, server, budget=0.02)
        assert 0 < purse.spent <= 0.02
        errors = {p.error for p in notebooks.wanted if p.error}
        assert len(errors) == 1 and "what the budget has left" in errors.pop()

    def test_what_came_before_an_error_is_written(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "n.ipynb", *(code(f"p{n}()", shown(coloured(n))) for n in range(9)))
        notebooks = Notebooks([path])
        behaviours = ["normal"] * 3 + ["unauthorized"] * 9
        with (
            OfflineServer(behaviours=behaviours) as server,
            pytest.raises(AuthenticationError),
        ):
            ask(notebooks, server, write=True)
        assert sum(alt is not None for alt in alts(path)) >= 1


@pytest.mark.met("C5")
class TestTheSameTrouble:
    """What is asked of the user is asked in a terminal: there is none here."""

    def test_stops_the_command_and_says_how_to_go_on(self, tmp_path: Path) -> None:
        path = saved(
            tmp_path / "n.ipynb", *(code(f"p{n}()", shown(coloured(n))) for n in range(40))
        )
        with OfflineServer(behaviours=["bad_json"] * 200, keep=500) as server:
            with pytest.raises(InputError, match=r"first 5 .* in the same way.*--keep-going"):
                ask(Notebooks([path]), server)
            assert 10 <= len(questions(server)) <= 2 * (5 + 2 - 1)

    def test_with_keep_going_asks_about_all(
        self, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = folder_of(tmp_path / "scans", 12)
        with OfflineServer(behaviours=["refusal"] * 100, keep=500) as server:
            monkeypatch.setenv("CLAUDE_MAGIC_BASE_URL", server.url)
            words = ["caption-images", folder, "-o", "c.csv", "-q", "-j", "1"]
            status, _, err = command(*words)
            assert status == 2 and len(questions(server)) == 5
            assert "declined" in err and err.count("\n") == 1
            status, _, err = command(*words, "--keep-going")
            assert status == 1 and len(questions(server)) == 5 + 12


class TestCaptionImages:
    def test_writes_a_table_and_says_what_it_cost(self, command: Command, tmp_path: Path) -> None:
        folder, out = folder_of(tmp_path / "scans", 5), tmp_path / "captions.parquet"
        status, _, err = command("caption-images", folder, "-o", out, "-q")
        assert status == 0 and len(pd.read_parquet(out)) == 5
        assert "5 rows, 5 asked about, $0.0" in err

    def test_asks_in_batches_for_half_the_price(self, command: Command, tmp_path: Path) -> None:
        words = ["caption-images", folder_of(tmp_path / "scans", 5), "-o", "c.csv"]
        whole, half = (
            float(command(*words, *more, "--dry-run")[1].partition("$")[2].partition(" ")[0])
            for more in ((), ("--engine", "batches"))
        )
        assert half == pytest.approx(whole / 2, abs=0.01) and half < whole
        status, _, err = command(*words, "--engine", "batches")
        assert status == 0 and "5 rows, 5 asked about" in err
        assert pd.read_csv(tmp_path / "c.csv")["error"].isna().all()

    def test_shows_how_far_it_is(self, command: Command, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "scans", 3)
        _, _, err = command("caption-images", folder, "-o", "c.csv")
        assert "3/3" in err and "would cost $" in err

    def test_takes_several_places_and_a_schema_and_a_prompt(
        self, command: Command, tmp_path: Path
    ) -> None:
        one, two = folder_of(tmp_path / "a", 2), folder_of(tmp_path / "b", 3)
        schema = {"type": "object", "properties": {"organism": {"type": "string"}}}
        (tmp_path / "s.json").write_text(json.dumps(schema))
        words = ["--schema", "s.json", "--prompt", "Which organism?", "-o", "c.jsonl", "-q"]
        assert command("caption-images", one, f"{two}/*.png", *words)[0] == 0
        table = pd.read_json(tmp_path / "c.jsonl", lines=True)
        assert len(table) == 5 and "organism" in table.columns

    def test_a_dry_run_reckons_and_sends_nothing(self, command: Command, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "scans", 4)
        (folder / "same.png").write_bytes((folder / "0000.png").read_bytes())
        (folder / "bad.png").write_bytes(b"x")
        status, out, _ = command("caption-images", folder, "-o", "c.csv", "--dry-run")
        assert status == 0 and not (tmp_path / "c.csv").exists()
        assert "6 images, 5 to ask claude-sonnet-5-5 about, 1 that cannot be read: about" in out

    def test_a_row_that_failed_exits_with_1_and_names_the_error(
        self, command: Command, tmp_path: Path
    ) -> None:
        folder = folder_of(tmp_path / "scans", 2)
        (folder / "bad.png").write_bytes(b"x")
        status, _, err = command("caption-images", folder, "-o", "c.csv", "-q")
        assert status == 1 and "1 failed, the first: these bytes are not an image" in err

    def test_a_schema_that_cannot_be_read_is_one_line(
        self, command: Command, tmp_path: Path
    ) -> None:
        folder = folder_of(tmp_path / "scans", 1)
        status, _, err = command("caption-images", folder, "-o", "c.csv", "--schema", "no.json")
        assert status == 2 and "no.json is no JSON schema that can be read" in err


def test_exports_are_enabled_and_disabled_by_a_word(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "config" / "jupyter_config.py"
    assert command("alt-text", "status")[1] == f"Exports bear no alt text: {file}\n"
    assert f"Exports bear alt text from now on: {file}" in command("alt-text", "enable")[1]
    assert "already" in command("alt-text", "enable")[1]
    assert command("alt-text", "status")[1] == f"Exports bear alt text: {file}\n"
    assert command("alt-text", "disable")[1] == f"Exports bear no alt text any more: {file}\n"
    assert not file.exists()


@pytest.mark.met("C7")
@pytest.mark.parametrize("face", ["caption-images", "caption"])
def test_a_server_that_claude_magic_offline_runs_answers_caption_jobs(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, face: str
) -> None:
    """Asked as any server of which nothing is known: without output_config, in words."""
    line = [sys.executable, "-m", "claude_magic", "offline", "--port", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", running.stdout.readline())
            assert found is not None
            monkeypatch.setenv("CLAUDE_MAGIC_BASE_URL", found[0])
            if face == "caption":
                path = paper(tmp_path)
                assert command("caption", "--write", path)[0] == 0
                assert alts(path)[:3] == ["offline server"] * 3
            else:
                folder, out = folder_of(tmp_path / "scans", 5), tmp_path / "c.jsonl"
                assert command("caption-images", folder, "-o", out, "-q")[0] == 0
                table = pd.read_json(out, lines=True)
                assert table["alt_text"].tolist() == ["offline server"] * 5
        finally:
            running.terminate()


def test_exports_are_spoken_of_once_something_was_written_that_they_do_not_bear(
    command: Command, tmp_path: Path
) -> None:
    path = saved(tmp_path / "n.ipynb", code("p()", shown()))
    assert "alt-text enable" in command("caption", "--write", path)[2]
    assert "alt-text enable" not in command("caption", "--write", path)[2], "nothing was to write"
    command("alt-text", "enable")
    assert "alt-text enable" not in command("caption", "--write", "--redo", path)[2]
