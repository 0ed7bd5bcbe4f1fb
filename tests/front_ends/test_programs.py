"""One page, played by each front end: what it shows, and what goes along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from tests.front_ends.playing import PROGRAMS, JupyterConsole, Played, Terminal

IN_TERMINAL = ("`jupyter console`", "IPython in a terminal")
AT_ONCE = ("papermill", "nbclient")
PAGES = tuple(name for name in PROGRAMS if name not in (*AT_ONCE, *IN_TERMINAL))
# Every kernel says this at its start where it is reached over TCP.
OF_ALL = "Kernel is running over TCP without encryption"
PROMPT = r"In \[(\x1b\[[\d;]*m)*{}"  # its number, in colours
Play = Callable[[str], list[Played]]


def shows(column: str, *rows: str, word: str = "yes") -> pytest.MarkDecorator:
    """A test is run for each of these front ends, and shows this of it."""
    marked = [pytest.param(row, marks=pytest.mark.front_end(row, column, word)) for row in rows]
    return pytest.mark.parametrize("row", marked)


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Plays a front end twice, each time with a fresh kernel; once for the module."""
    known: dict[str, list[Played]] = {}

    def played(row: str) -> list[Played]:
        if row not in known:
            front_end = PROGRAMS[row](tmp_path_factory.mktemp("played"))
            known[row] = [front_end.play(), front_end.play()]
        return known[row]

    return played


@pytest.mark.parametrize("row", PROGRAMS)
def test_the_extension_loads_without_a_word(play: Play, row: str) -> None:
    for played in play(row):
        warned = [line for line in played.warned.splitlines() if line and OF_ALL not in line]
        assert warned == []


@shows("answers", *PROGRAMS)
def test_a_question_is_answered(play: Play, row: str) -> None:
    for played in play(row):
        assert "> What is above?" in played.shown["ask"]


@shows("cells above", *PROGRAMS)
def test_what_the_cells_above_hold_and_print_goes_along(play: Play, row: str) -> None:
    request = play(row)[0].first
    assert request.index("ants = 41") < request.index("seen 41\\n")


@shows("Markdown", *PAGES)
def test_markdown_goes_along_where_the_page_is_known(play: Play, row: str) -> None:
    assert "# Ants and bees" in play(row)[0].first


@shows("Markdown", *AT_ONCE, word="no")
def test_markdown_stays_where_no_file_is_known(play: Play, row: str) -> None:
    assert "# Ants and bees" not in play(row)[0].first


@shows("figures", *PAGES, *AT_ONCE, "`jupyter console`")
def test_a_figure_that_is_shown_goes_along(play: Play, row: str) -> None:
    assert '"image/png"' in play(row)[0].first


@shows("figures", "IPython in a terminal", word="by `-i`")
def test_a_figure_that_no_terminal_shows_goes_along_once_it_is_named(play: Play, row: str) -> None:
    played = play(row)[0]
    assert '"image/png"' not in played.first
    assert '"image/png"' in str(played.requests[1]).replace("'", '"')


@shows("after a restart", *PROGRAMS)
def test_run_again_after_a_restart_the_page_is_answered_from_the_record(
    play: Play, row: str
) -> None:
    first, second = play(row)
    assert len(first.requests) == 5  # the call's result is sent, too
    assert second.requests == []
    assert "from the record · free" in second.shown["ask"]


@shows("panel", *PROGRAMS, word="a line")
def test_where_no_panel_can_be_shown_a_line_says_so(play: Play, row: str) -> None:
    assert play(row)[0].shown["panel"].strip() == (
        "The chat panel needs JupyterLab or Notebook 7: ask with %%claude instead."
    )


@shows("tools", *PROGRAMS)
def test_a_call_that_needs_no_word_is_made(play: Play, row: str) -> None:
    for played in play(row):
        assert '`run_python` returned a result: 2 characters, "42"' in played.shown["tool"]


@shows("JSON", *PROGRAMS)
def test_a_reply_in_json_is_bound_as_the_object_asked_for(play: Play, row: str) -> None:
    for played in play(row):
        assert played.shown["bound"].strip() == "bound Point(x=1)"


@shows("help", *PAGES, *IN_TERMINAL)
def test_a_question_mark_shows_the_options(play: Play, row: str) -> None:
    assert "--max-tokens N" in play(row)[0].shown["help"]


@shows("completion", *PAGES)
def test_the_names_of_models_complete(play: Play, row: str) -> None:
    assert play(row)[0].completed == "opus"


@pytest.fixture
def terminal(row: str, tmp_path: Path) -> Terminal:
    """A front end in a terminal."""
    return {"`jupyter console`": JupyterConsole, "IPython in a terminal": Terminal}[row](tmp_path)


@shows("completion", *IN_TERMINAL)
def test_the_names_of_models_complete_where_they_are_typed(terminal: Terminal, row: str) -> None:
    typed = terminal.opened()
    typed.expect(PROMPT.format(1))
    typed.send("%load_ext claude_magic\r")
    typed.expect(PROMPT.format(2))
    typed.send("%claude -m op\t")
    typed.expect_exact("us")
    typed.send(" Hi\r")
    typed.expect_exact("Opus")
    typed.close(force=True)


@shows("tools", *IN_TERMINAL)
def test_a_call_is_asked_about_where_something_can_be_typed(terminal: Terminal, row: str) -> None:
    typed = terminal.opened("--simple-prompt")
    lines = "%load_ext claude_magic", "%claude --tools run_python Call run_python(code='6 * 7')"
    for line in lines:
        typed.expect(r"In \[\d+\]: ")
        typed.sendline(line)
    typed.expect_exact("[n]o")
    assert "6 * 7" in str(typed.before).rsplit("is to run", 1)[1]
    typed.sendline("y")
    typed.expect_exact('`run_python` returned a result: 2 characters, "42"')
    typed.sendline("exit()")
    typed.expect(pexpect.EOF)
