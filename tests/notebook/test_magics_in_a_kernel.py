"""The magics as a front end sees them, in a real kernel."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from claude_magic.conversation.settings import NOTEBOOK_PROMPT
from claude_magic.notebook.question_marks import ask_with_question_mark
from tests.browser.replying_server import ReplyingServer, Said
from tests.kernels import Kernel, kernel

OFFLINE = "get_ipython().magics_manager.registry['ClaudeMagics'].notebook.session.offline"


def last(kernel: Kernel) -> dict[str, Any]:
    return kernel.requests()[-1]


def test_a_reply_is_html_markdown_and_plain_text(running_kernel: Kernel) -> None:
    ran = running_kernel.run("%%claude\nHello")
    answer = ran.outputs[-1]["data"]
    assert set(answer) == {"text/html", "text/markdown", "text/plain"}
    assert "<strong>offline server</strong>" in answer["text/html"]
    assert "> Hello" in answer["text/markdown"]


def test_a_prompt_may_stand_on_the_line_and_in_the_cell(running_kernel: Kernel) -> None:
    running_kernel.run("%%claude --alone What's this:\n\n  indented\n")
    assert last(running_kernel)["messages"][-1]["content"] == "What's this:\n  indented"


MARKED = {
    "%claude -c none Why?": ("claude", "-c none Why?"),
    "%claude_fix why does this fail?": ("claude_fix", "why does this fail?"),
    "%claude_chat what is 'this?": ("claude_chat", "what is 'this?"),
    "%claude_caption  for whom??": ("claude_caption", "for whom??"),
    "%claude_continue is there more? ": ("claude_continue", "is there more?"),
    "%claude_usage of what?": ("claude_usage", "of what?"),
    "r = %claude What is this?": ("claude", "What is this?"),
    "r = %claude What's (this?": ("claude", "What's (this?"),
    "r['a'] = s =%claude_fix Why?": ("claude_fix", "Why?"),
    "if r:\n    r.a = %claude Why?": ("claude", "Why?"),
    "x = %who What's\nr = %claude Why?": ("claude", "Why?"),
    "%claude Why \\\n is this?": ("claude", "Why   is this?"),
}


@pytest.mark.met("P14")
@pytest.mark.parametrize("cell", MARKED)
def test_words_of_any_magic_may_end_in_a_question_mark(cell: str) -> None:
    name, words = MARKED[cell]
    read = read_as(cell)
    assert f"get_ipython().run_line_magic({name!r}, {words!r})\n" in read
    assert "pinfo" not in read
    assert [line.partition("get_ipython()")[0] for line in read.splitlines()][-1] == (
        cell.splitlines()[cell.count("\n") and -1].partition("%")[0] if "\\" not in cell else ""
    )


@pytest.mark.parametrize(
    "line",
    [
        *("%claude?", "%claude ?", "%claude??", "%%claude?", "?%claude", "%claude_fix?"),
        *("r?", "r = %who_ls r?", "%time r?", "r = claude ?", "%clauded what?"),
    ],
)
def test_all_else_that_ends_in_a_question_mark_is_read_as_ipython_reads_it(line: str) -> None:
    assert read_as(line) == TransformerManager().transform_cell(line)


@pytest.mark.parametrize(
    "text",
    [
        "s = '''\nr = %claude Why?\n'''",
        "s = ['''r = %claude Why?\n''']",
        "f(r, s = %claude Why?\n)",
        "claude = '''r = %claude Why?\n'''",
    ],
)
def test_a_question_within_a_string_or_a_bracket_is_none(text: str) -> None:
    assert ask_with_question_mark(text.splitlines(True)) == text.splitlines(True)


def read_as(cell: str) -> str:
    """The Python that IPython makes of a cell once the extension is loaded."""
    manager = TransformerManager()
    manager.cleanup_transforms.append(ask_with_question_mark)
    return manager.transform_cell(cell)


@pytest.mark.met("P14")
def test_a_line_may_end_in_a_question_mark(running_kernel: Kernel) -> None:
    ran = running_kernel.run("if True:\n    %claude --alone -c none Why is `x` so?")
    assert last(running_kernel)["messages"][-1]["content"] == "Why is `x` so?"
    assert "offline server" in ran.shown()


@pytest.mark.parametrize(
    ("below", "asked"),
    [
        ("%claude What stands out in these two plots?", ["What stands out in these two plots?"]),
        ("%claude One of the plots?\n%claude All plots?", ["One of the plots?", "All plots?"]),
        ("%claude Why plots??", ["Why plots??"]),
        ("r = %claude Why plots?\nassert r is None", ["Why plots?"]),
        ("def ask():\n    %claude Why plots?\nask()\nask()", ["Why plots?", "Why plots?"]),
        ("plots = 1\nplots?\n%claude -c none Why plots?", ["Why plots?"]),
        ("%claude Why plots?\nplots?", ["Why plots?"]),
        ("text = '''\n%claude Why plots?\n'''\n%claude Why?", ["Why?"]),
    ],
)
def test_a_question_may_stand_in_the_cell_that_loads_the_extension(
    below: str, asked: list[str], tmp_path: Path
) -> None:
    """IPython has read the whole cell, and the line as a request for help, before it loads."""
    with kernel(tmp_path, load=False) as fresh:
        ran = fresh.run(f"%load_ext claude_magic\n{below}")
        assert [r["messages"][-1]["content"] for r in fresh.requests()] == asked
        helped = len(ran.reply["payload"]) + ran.printed.count("not found")
        assert helped == below.split("\n").count("plots?")
        after = fresh.run("plots?")
        assert len(fresh.requests()) == len(asked)
        assert after.reply["payload"] or "Object `plots` not found." in after.printed


def test_what_the_cell_that_loads_the_extension_asks_has_its_place_on_the_page(
    tmp_path: Path,
) -> None:
    with kernel(tmp_path, load=False) as fresh:
        fresh.run("%load_ext claude_magic\n%claude One\n%claude Two", cell="first")
        fresh.run("%claude Three", cell="second")
        fresh.run("%load_ext claude_magic\n%claude Four", cell="first")
        fresh.run("%claude Five", cell="third")
        bodies = [[m["content"] for m in r["messages"][::2]] for r in fresh.requests()]
    # The third cell stands below the one that ran before it.
    assert [len(said) for said in bodies] == [1, 2, 3, 1, 2]
    assert [bodies[2][0], bodies[4][0]] == ["One", "Four"]


def test_a_question_in_a_string_stays_as_it_is(running_kernel: Kernel) -> None:
    running_kernel.run('lines = """\n%claude What is it?\n"""')
    assert running_kernel.value("lines") == "\n%claude What is it?\n"


def test_from_python_one_image_file_or_stop_needs_no_list(
    running_kernel: Kernel, shared_folder: Path
) -> None:
    (shared_folder / "one.txt").write_text("Ants have six legs.", encoding="utf-8")
    running_kernel.run(
        "import claude_magic, numpy\n"
        "image = numpy.zeros((20, 30, 3), 'uint8')\n"
        "claude_magic.ask('Hi', images=image, files='one.txt', stop='END', alone=True)\n"
        "claude_magic.ask('Hi', images=[image], alone=True)"
    )
    first, second = running_kernel.requests()[-2:]
    assert first["stop_sequences"] == ["END"]
    assert [b["type"] for b in first["messages"][0]["content"]] == ["document", "image", "text"]
    assert [b["type"] for b in second["messages"][0]["content"]] == ["image", "text"]


@pytest.mark.parametrize(
    ("line", "option", "example"),
    [
        ("%claude?", "--reply", "%%claude -m opus"),
        ("%%claude?", "--reply", "%%claude -m opus"),
        ("%claude_caption?", "--write", "%claude_caption -i fig"),
        ("?%claude", "--reply", "%%claude -m opus"),
    ],
)
def test_a_question_mark_right_after_the_name_shows_the_help(
    running_kernel: Kernel, line: str, option: str, example: str
) -> None:
    reply = running_kernel.run(line).reply
    page = reply["payload"][0]["data"]["text/plain"]
    assert f"\n      {option}" in page
    assert f"\n  {example}" in page


def test_options_become_parameters_of_the_request(running_kernel: Kernel) -> None:
    running_kernel.run(
        '%%claude -m haiku -s "Be brief" --max-tokens 99 --stop END --stop STOP --effort high '
        "--think show --alone -c none\nHello"
    )
    assert last(running_kernel) == {
        "model": "claude-haiku-5-5",
        "max_tokens": 99,
        "system": f"{NOTEBOOK_PROMPT}\n\nBe brief",
        "stop_sequences": ["END", "STOP"],
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "high"},
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
    }


def test_thinking_is_shown_folded_above_the_answer(running_kernel: Kernel) -> None:
    ran = running_kernel.run("%%claude --think show --alone\nHello")
    folded = [i for i, o in enumerate(ran.outputs) if "<details" in o["data"]["text/html"]]
    assert folded
    assert folded[0] < len(ran.outputs) - 1


def test_the_reply_is_bound_to_a_name(running_kernel: Kernel) -> None:
    running_kernel.run("%claude -o reply Hello")
    assert "> Hello" in running_kernel.value("reply.text")
    assert running_kernel.value("reply.usage.output") > 0
    assert running_kernel.value("reply.stop_reason") == "end_turn"
    assert running_kernel.value("reply.cost") > 0


def test_the_replys_code_goes_into_a_new_cell(running_kernel: Kernel) -> None:
    ran = running_kernel.run("%claude --code Write code that squares numbers")
    (payload,) = ran.reply["payload"]
    assert payload["source"] == "set_next_input"
    assert payload["replace"] is False
    compile(payload["text"], "reply", "exec")


def test_the_code_can_be_had_afterwards_without_a_request(running_kernel: Kernel) -> None:
    running_kernel.run("%claude Write code that squares numbers")
    before = len(running_kernel.requests())
    (payload,) = running_kernel.run("%claude_code 1").reply["payload"]
    assert "offline server" in payload["text"]
    assert len(running_kernel.requests()) == before
    assert "from 1 to 1" in running_kernel.run("%claude_code 7", ok=False).error


def test_quiet_leaves_the_answer_alone(running_kernel: Kernel) -> None:
    ran = running_kernel.run("%claude -q Hello")
    assert "Sonnet 5.5 ·" not in ran.shown()
    assert " out ·" not in ran.shown()


def test_a_turn_can_be_written_by_the_user(running_kernel: Kernel) -> None:
    before = len(running_kernel.requests())
    running_kernel.run('%%claude --reply "Call it X" -o mine\nWhat shall we call the drug?')
    assert len(running_kernel.requests()) == before
    assert running_kernel.value("mine.text") == "Call it X"
    running_kernel.run("%claude -c none What did we call it?")
    assert last(running_kernel)["messages"][-3:] == [
        {"role": "user", "content": "What shall we call the drug?"},
        {"role": "assistant", "content": "Call it X"},
        {"role": "user", "content": "What did we call it?"},
    ]


def test_a_question_alone_neither_sees_nor_joins_the_conversation(running_kernel: Kernel) -> None:
    running_kernel.run("%claude --alone The lonely one")
    assert len(last(running_kernel)["messages"]) == 1
    assert "cache_control" not in last(running_kernel)
    running_kernel.run("%claude And this one")
    assert "The lonely one" not in json.dumps(last(running_kernel))


def test_a_dry_run_shows_everything_and_sends_nothing(running_kernel: Kernel) -> None:
    before = len(running_kernel.requests())
    ran = running_kernel.run("weight = 3\nprint(weight)\n%claude --dry-run -m opus How heavy?")
    assert len(running_kernel.requests()) == before
    shown = ran.shown()
    assert shown.startswith("Not sent · Opus 5.5")
    assert "weight = 3" in shown
    assert re.search(r"[\d,]+ tokens in, counted by the server, about \$0\.\d+", shown)


def test_a_dry_run_for_a_server_elsewhere_sends_nothing_and_says_that_it_estimates(
    running_kernel: Kernel,
) -> None:
    """Counting sends the request: what one wants to look at first must not leave for that."""
    running_kernel.run("%claude_config base_url=https://api.anthropic.com")
    shown = running_kernel.run("%claude --dry-run How heavy?").shown()
    asked = running_kernel.run("%claude --dry-run=count How heavy?", ok=False)
    running_kernel.run("%claude_config base_url=")
    assert re.search(r"about [\d,]+ tokens in, estimated, about \$0\.\d+", shown)
    assert "CredentialError" in asked.error, "told to count, it goes to the server"


def test_a_dry_run_as_python_is_a_program_that_compiles(running_kernel: Kernel) -> None:
    shown = running_kernel.run("%claude --dry-run=python Hello 'you'").shown()
    compile(shown, "command", "exec")
    assert 'os.environ["ANTHROPIC_API_KEY"]' in shown


def document(kernel: Kernel) -> Any:
    """The one document of the last request; it stands behind what carries the page."""
    content = last(kernel)["messages"][0]["content"]
    (found,) = (block for block in content if block["type"] == "document")
    return found


def test_a_file_goes_along_as_a_document(running_kernel: Kernel, shared_folder: Path) -> None:
    (shared_folder / "notes.txt").write_text("Ants have six legs.", encoding="utf-8")
    running_kernel.run("%claude --alone -f notes.txt How many legs?")
    assert document(running_kernel) == {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "Ants have six legs."},
        "title": "notes.txt",
    }


def test_a_paper_goes_along_as_a_document(running_kernel: Kernel, shared_folder: Path) -> None:
    paper = b"%PDF-1.7\n1 0 obj <</Type /Page>> endobj\n"
    (shared_folder / "paper.pdf").write_bytes(paper)
    shown = running_kernel.run("%claude --alone -f paper.pdf --cite What does it find?").shown()
    assert document(running_kernel) == {
        "type": "document",
        "source": {
            "type": "base64",
            "media_type": "application/pdf",
            "data": base64.b64encode(paper).decode(),
        },
        "title": "paper.pdf",
        "citations": {"enabled": True},
    }
    assert "1 file" in shown


def test_a_prefill_that_was_asked_for_otherwise_is_said_below_the_reply(
    running_kernel: Kernel,
) -> None:
    for prefill, how in (
        ("The answer is (", "as one of A, B"),
        ("Well,", "in words"),
    ):
        ask = f'%claude --alone --prefill "{prefill}" Is it (A) an ant or (B) a bee?'
        lines = running_kernel.run(ask).shown().splitlines()
        begun = next(n for n, line in enumerate(lines) if line.startswith(prefill))
        below = "\n".join(lines[begun + 1 :])
        assert f"Sonnet 5.5 takes no prefill: asked for {how}" in below
    ran = running_kernel.run('%claude --alone -m claude-haiku-4-5 --prefill "Well," Why?')
    assert "prefill" not in ran.shown().partition("Well,")[2].splitlines()[-1]
    assert last(running_kernel)["messages"][-1] == {"role": "assistant", "content": "Well,"}


def test_a_table_goes_along_as_a_document_that_the_reply_cites(running_kernel: Kernel) -> None:
    running_kernel.run(
        "import pandas as pd\n"
        "expr = pd.DataFrame({'gene': ['TP53', 'BRCA1'], 'fold': [1.5, 0.5]})\n"
        "%claude --alone -o reply -f expr --cite Which is over-expressed?"
    )
    assert document(running_kernel) == {
        "type": "document",
        "source": {
            "type": "text",
            "media_type": "text/plain",
            "data": "gene,fold\nTP53,1.5\nBRCA1,0.5\n",
        },
        "title": "expr",
        "citations": {"enabled": True},
    }
    cited = "[c['cited_text'] for b in reply.blocks for c in b.get('citations', ())]"
    assert running_kernel.value(cited) == ["gene,fold", "BRCA1,0.5"]


def test_citations_are_on_for_all_documents_of_a_conversation(running_kernel: Kernel) -> None:
    def citations() -> list[object]:
        messages = last(running_kernel)["messages"]
        contents = [m["content"] for m in messages if isinstance(m["content"], list)]
        blocks = [b for content in contents for b in content if b["type"] == "document"]
        return [block.get("citations") for block in blocks]

    on = {"enabled": True}
    running_kernel.run("insects = 'Ants have six legs.'\n%claude -f insects How many?")
    assert citations()[-1:] == [None]
    running_kernel.run("%claude --cite And where is that said?")
    assert citations()[-1:] == [on]
    running_kernel.run("%claude -f insects --cite How many?")
    assert citations()[-2:] == [on, on]
    running_kernel.run("%claude -f insects How many?")
    assert citations()[-3:] == [on, on, on]


def test_prompts_are_cached_where_the_conversation_goes_on(running_kernel: Kernel) -> None:
    running_kernel.run("%%claude\n" + "A long text. " * 400)
    running_kernel.run("%claude -o reply And on")
    assert last(running_kernel)["cache_control"] == {"type": "ephemeral"}
    assert running_kernel.value("reply.usage.read") > 1000


def columns(line: str) -> list[str]:
    return re.split(r"\s{2,}", line.strip())


def test_the_models_are_listed_with_all_that_is_known_of_them(running_kernel: Kernel) -> None:
    shown = running_kernel.run("%claude_models").shown()
    found = {columns(line)[0]: columns(line)[1:] for line in shown.splitlines()}
    assert found["claude-sonnet-5-5"] == [
        *("sonnet", "2", "10", "1,000,000", "128,000", "unless off", "low to max (high)"),
        *("prefill, forced tools, temperature", "2027-09-28"),
    ]
    assert found["claude-opus-4-6"][4:] == [
        *("if asked", "low to max, no xhigh (high)", "prefill", "2027-02-05"),
    ]
    assert found["claude-sonnet-4-5"][-2:] == ["if asked", "2026-11-30, use claude-sonnet-5-5"]
    assert "always" in found["claude-opus-5-5"]
    assert "Models as the server lists them." in shown
    assert "claude-haiku-5-5 over 100,000 tokens of prompt: 0.5 in, 2.5 out." in shown


def test_without_a_list_of_the_servers_the_table_is_shown_and_the_users_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "models.toml").write_text(
        '[aliases]\nlocal = "qwen3:32b"\n[models."qwen3:32b"]\ninput = 0.5\noutput = 1\n',
        encoding="utf-8",
    )
    with ReplyingServer(lambda _: Said("Yes.")) as server, kernel(tmp_path) as own:
        own.run(f"%claude_config base_url={server.url} models_file=models.toml")
        shown = own.run("%claude_models").shown()
        assert "The built-in table, for the server gave no list: " in shown
        assert "claude-fable-5-2" in shown
        (line,) = [s for s in shown.splitlines() if s.startswith("qwen3:32b")]
        assert columns(line) == ["qwen3:32b", "local", "0.5", "1"]
        typed = own.client.complete("%claude -m loc", reply=True, timeout=60)["content"]
        assert "local" in typed["matches"]
        own.run("%claude -m local -o reply Hi")
        assert own.value("reply.cost") > 0


def test_what_a_server_lists_is_shown_as_text_and_not_without_end(tmp_path: Path) -> None:
    hostile = {"id": "<img src=x onerror=alert(1)>", "max_input_tokens": "<b>", "retires_at": 3}
    escape = {"id": "a\x1b[31mb"}
    many = tuple({"id": f"model-{n}"} for n in range(300))
    with (
        ReplyingServer(lambda _: Said("Yes."), (hostile, escape, *many)) as server,
        kernel(tmp_path) as own,
    ):
        own.run(f"%claude_config base_url={server.url}")
        ran = own.run("%claude_models")
    assert "<img" not in ran.shown("text/html")
    assert "\x1b" not in ran.shown()
    assert "101 more are not shown" in ran.shown()


def test_a_model_that_is_set_names_what_takes_its_place(running_kernel: Kernel) -> None:
    said = {
        "claude-3-opus": "its replacement is claude-opus-5-5",
        "claude-sonnet-4-5": "its replacement is claude-sonnet-5-5",
        "sonet": "did you mean sonnet?",
    }
    for name, words in said.items():
        assert words in running_kernel.run(f"%claude_config model={name}").shown()
        error = running_kernel.run("%claude --dry-run Hi", ok=name.startswith("claude-s"))
        assert words in error.error + error.shown()
    assert "replacement" not in running_kernel.run("%claude_config model=").shown()


@pytest.mark.parametrize("listed", [False, True], ids=["no list", "the list was fetched"])
@pytest.mark.parametrize(
    "asks",
    [
        "%claude -m claude-3-opus Hi",
        "%claude --dry-run -m claude-3-opus Hi",
        "import claude_magic; claude_magic.ask('Hi', model='claude-3-opus')",
        "import claude_magic; claude_magic.caption([b'x'], model='claude-3-opus')",
    ],
)
def test_a_retired_model_is_told_since_when_and_what_takes_its_place(
    running_kernel: Kernel, asks: str, listed: bool
) -> None:
    if listed:
        running_kernel.run("%claude_models")
    said = running_kernel.run(asks, ok=False).error
    assert "it is retired since 2026-01-05; its replacement is claude-opus-5-5" in said


def test_a_model_about_to_be_retired_is_answered_with_a_notice_once(
    running_kernel: Kernel,
) -> None:
    first = running_kernel.run("%claude -m claude-sonnet-4-5 Hello").shown()
    assert re.search("claude-sonnet-4-5 is retired (on|since) 2026-11-30", first)
    assert "claude-sonnet-5-5" in first
    assert "retired" not in running_kernel.run("%claude -m claude-sonnet-4-5 Again").shown()


COMPLETED = {
    "an option": ("%%claude --mo", "--model"),
    "a model": ("%%claude -m op", "opus"),
    "a model of the line magic": ("%claude -m claude-son", "claude-sonnet-5-5"),
    "a variable": ("%claude -i completed_fig", "completed_figure"),
    "a choice": ("%claude --effort me", "medium"),
    "an option of captions alone": ("%claude_caption --wr", "--write"),
}


@pytest.mark.parametrize("case", COMPLETED)
def test_tab_completes(running_kernel: Kernel, case: str) -> None:
    typed, offered = COMPLETED[case]
    running_kernel.run("completed_figure = 1")
    content = running_kernel.client.complete(typed, reply=True, timeout=60)["content"]
    start = content["cursor_start"]
    assert any((typed[:start] + m).endswith(offered) for m in content["matches"]), content


def test_nothing_is_said_on_loading_and_unloading_undoes_it_all(tmp_path: Path) -> None:
    with kernel(tmp_path, load=False) as own:
        state = (
            "(sorted(n for n in get_ipython().magics_manager.magics['line'] if 'claude' in n),"
            " 'publish' in vars(get_ipython().display_pub),"
            " 'write_format_data' in vars(get_ipython().displayhook),"
            " 'format' in vars(get_ipython().display_formatter),"
            " type(__import__('sys').stdout).__name__,"
            " [len(c) for c in get_ipython().events.callbacks.values()],"
            " len(get_ipython().input_transformers_cleanup),"
            " sorted(get_ipython().strdispatchers['complete_command'].strs))"
        )
        before = own.value(state)
        assert own.run("%load_ext claude_magic").messages == [] or not own.run("1").printed
        own.run("%claude Hello")
        assert own.value(state) != before
        own.run("%unload_ext claude_magic")
        assert own.value(state) == before
        assert own.run("print('still here')").printed == "still here\n"
        own.run("%load_ext claude_magic")
        assert "Turn 1" in own.run("%claude Hello again").shown()
