"""A conversation as a request body, as a document, and as a script that has it again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from markdown_it import MarkdownIt

from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.export import as_markdown, as_messages, as_python, question_text
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.turns import Step, Turn
from claude_magic.messages.blocks import document_text, image_base64, text
from claude_magic.messages.usage import Usage
from claude_magic.offline import OfflineServer
from tests.image_blocks import image_url
from tests.offline.offline_samples import base64_of, picture

KEY = {"ANTHROPIC_API_KEY": "sk-canary"}
HEADERS = {"anthropic-version": "2023-06-01", "x-api-key": "k"}
IMAGE = image_base64("image/png", base64_of(picture()))
TRICKY = "What's \"this\": '''x''' \\n {y} é 🐜\n\x0c%s"
PARAMETERS = {"max_tokens": 500, "system": "Be brief.", "output_config": {"effort": "low"}}


def turn(question: str, reply: str, **said: Any) -> Turn:
    made = Turn(
        id=question,
        asked=(text(question),),
        reply=(text(reply),),
        model="claude-sonnet-5-5",
        server="offline",
        parameters=PARAMETERS,
        usage=Usage(fresh=1_551, output=71),
        stop_reason="end_turn",
        started=1_762_000_000.0,
        prompt=question,
    )
    return replace(made, **said)


FIRST, SECOND = turn("What is an ant?", "An insect."), turn(TRICKY, "No idea.")
WRITTEN = turn("Guess.", "Seven.", server="", parameters={"synthetic": True})


class TestTheRequestBody:
    def test_is_taken_by_the_api_with_a_question_appended(self) -> None:
        seen = replace(SECOND, asked=(IMAGE, text(TRICKY)))
        thought = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
        body = as_messages([replace(FIRST, reply=(thought, *FIRST.reply)), seen, WRITTEN])
        assert [m["role"] for m in body["messages"]] == ["user", "assistant"] * 3
        body["messages"].append({"role": "user", "content": "And now?"})
        with OfflineServer() as server:
            answer = httpx.post(f"{server.url}/v1/messages", json=body, headers=HEADERS)
        assert answer.status_code == 200, answer.text

    def test_holds_what_the_last_question_asked_for_and_nothing_of_transport(self) -> None:
        noisy = {**PARAMETERS, "stream": True, "metadata": {}, "cache_control": {}}
        asked = replace(SECOND, parameters=noisy, requested="opus")
        body = as_messages([FIRST, asked, WRITTEN])
        assert set(body) == {"model", "max_tokens", "system", "messages"}
        assert (body["model"], body["max_tokens"]) == ("claude-opus-5-5", 500)
        assert body["system"] == "Be brief."
        assert json.loads(json.dumps(body)) == body

    def test_takes_another_system_prompt(self) -> None:
        assert as_messages([FIRST], "Rhyme.")["system"] == "Rhyme."

    def test_leaves_out_what_later_questions_do_not_see(self) -> None:
        others = [replace(SECOND, status="broken"), replace(SECOND, alone=True)]
        assert as_messages([FIRST, *others])["messages"] == [
            {"role": "user", "content": "What is an ant?"},
            {"role": "assistant", "content": "An insect."},
        ]


class TestTheDocument:
    def test_reads_as_a_conversation(self) -> None:
        when = datetime.fromtimestamp(FIRST.started).strftime("%Y-%m-%d %H:%M")
        assert as_markdown([FIRST], "Ants") == (
            "# Ants\n\n## Question 1\n\n> What is an ant?\n\nAn insect.\n\n"
            f"*Sonnet 5.5 · offline server · {when} · 1,551 in · 71 out · "
            "would cost \\$0.004*\n"
        )

    def test_says_what_was_paid(self) -> None:
        assert "· \\$0.004*" in as_markdown([replace(FIRST, server="https://api.anthropic.com")])

    @pytest.mark.parametrize(
        ("said", "mark"),
        [
            ({"status": "interrupted"}, "· interrupted; what came is kept*"),
            ({"status": "broken"}, "· broken off; what came is kept, and not sent later*"),
            (
                {"status": "refused", "stop_reason": "refusal"},
                "· declined by the model; not sent later*",
            ),
            ({"stop_reason": "max_tokens"}, "· max\\_tokens: cut at the limit*"),
        ],
    )
    def test_says_how_a_reply_ended(self, said: dict[str, Any], mark: str) -> None:
        assert mark in as_markdown([replace(FIRST, **said)])

    def test_says_that_a_reply_was_written_by_the_user(self) -> None:
        assert "*written by the user · " in as_markdown([WRITTEN])

    def test_quotes_every_line_of_the_question_and_names_what_went_along(self) -> None:
        asked = (
            text("Some context."),
            image_base64("image/png", "A" * 45_332),
            image_url("https://example.org/ant.jpg"),
            document_text("word", "notes.txt"),
            text("One.\n\n- two"),
        )
        document = as_markdown([replace(FIRST, asked=asked, prompt="One.\n\n- two")])
        assert (
            "> One.\n>\n> - two\n>\n> [image, image/png, 34 kB]\n> [image, https\\://example.org/"
            "ant.jpg]\n> [document, notes.txt, text/plain, 4 B]\n\nAn insect."
        ) in document
        assert "Some context." not in document

    def test_holds_nothing_active_whoever_wrote_it(self) -> None:
        hostile = (
            "<script>alert(1)</script> ![x](http://evil.example/x.png) [a](javascript:x)\x1b[2J"
        )
        made = turn(hostile, hostile, model=hostile, requested=hostile, stop_reason=hostile)
        made = replace(made, asked=(image_url(f"http://evil.example/{hostile}"), text(hostile)))
        document = as_markdown([made], title=hostile)
        html = MarkdownIt("commonmark", {"html": True}).render(document)
        assert "\x1b" not in document
        for active in ("<script", "<img", "href"):
            assert active not in html

    def test_shows_what_tools_ran_and_what_they_gave(self) -> None:
        call = {"type": "tool_use", "id": "c", "name": "run_python", "input": {"code": "1 + 1"}}
        gave = {"type": "tool_result", "tool_use_id": "c", "content": [text("2"), IMAGE]}
        ran = {"type": "server_tool_use", "id": "s", "name": "code_execution"}
        printed = {
            "type": "code_execution_tool_result",
            "tool_use_id": "s",
            "content": {"stdout": "<b>4</b>", "return_code": 0},
        }
        step = Step("tools", (text("I look."), call), (gave,))
        said = ({**ran, "input": {"code": "print(2 + 2)"}}, printed, text("So."))
        document = as_markdown([replace(FIRST, steps=(step,), reply=said)])
        assert document.split("> What is an ant?\n\n")[1].startswith(
            "I look.\n\n&#91;run\\_python · ok&#93;\n\n```python\n1 + 1\n```\n\n```\n2\n```\n\n"
            "&#91;1 image&#93;\n\n&#91;Ran code&#93;\n\n```python\nprint(2 + 2)\n```\n\n"
            "```\n<b>4</b>\n```\n\nSo.\n\n*Sonnet"
        )

    def test_an_unfinished_fence_does_not_swallow_the_next_question(self) -> None:
        document = as_markdown([turn("Code?", "```python\nx = 1"), SECOND])
        assert "<h2>Question 2</h2>" in MarkdownIt().render(document)


@pytest.mark.parametrize(
    ("asked", "parameters", "expected"),
    [
        (("Context.", "Why?"), {}, "Why?"),
        (("Why?", "Begin with «("), {"prefill": "(", "emulated": True}, "Why?"),
        ((), {}, ""),
    ],
    ids=["the last text", "not the words that ask for a prefill", "nothing"],
)
def test_the_question_of_an_old_record(
    asked: tuple[str, ...], parameters: dict[str, Any], expected: str
) -> None:
    blocks = tuple(text(words) for words in asked)
    assert question_text(replace(FIRST, asked=blocks, prompt="", parameters=parameters)) == expected


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "again.py"
    path.write_text(script, encoding="utf-8")
    environment = {**os.environ, **KEY, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, str(path)],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def has(script: str, server: OfflineServer, folder: Path) -> tuple[list[Any], str]:
    """The bodies that the script sent, and what it printed."""
    done = run(script, folder)
    assert done.returncode == 0, done.stderr
    assert {r.headers["x-api-key"] for r in server.requests} <= set(KEY.values())
    return [r.json for r in server.requests], done.stdout


class TestTheScript:
    def test_asks_each_question_after_the_replies_that_it_gets(self, tmp_path: Path) -> None:
        with OfflineServer() as server:
            script = as_python([FIRST, SECOND], base_url=server.url)
            (first, second), printed = has(script, server, tmp_path)
        assert first == {
            "model": "claude-sonnet-5-5",
            **PARAMETERS,
            "messages": [{"role": "user", "content": "What is an ant?"}],
        }
        assert [m["role"] for m in second["messages"]] == ["user", "assistant", "user"]
        assert second["messages"][2]["content"] == TRICKY
        (received,) = second["messages"][1]["content"]
        assert "offline server" in received["text"] and received["text"] in printed
        assert "An insect." not in script
        assert KEY["ANTHROPIC_API_KEY"] not in script

    def test_keeps_a_reply_that_the_user_wrote(self, tmp_path: Path) -> None:
        with OfflineServer() as server:
            (body,), printed = has(
                as_python([WRITTEN, FIRST], base_url=server.url), server, tmp_path
            )
        assert body["messages"][:2] == [
            {"role": "user", "content": "Guess."},
            {"role": "assistant", "content": [{"type": "text", "text": "Seven."}]},
        ]
        assert printed.startswith("Seven.\n")

    def test_holds_each_image_once(self, tmp_path: Path) -> None:
        turns = [replace(t, asked=(IMAGE, *t.asked)) for t in (FIRST, SECOND)]
        with OfflineServer() as server:
            script = as_python(turns, base_url=server.url)
            bodies, _ = has(script, server, tmp_path)
        assert bodies[1]["messages"][0]["content"][0] == IMAGE
        assert bodies[1]["messages"][2]["content"][0] == IMAGE
        assert script.count(IMAGE["source"]["data"]) == 1  # type: ignore[typeddict-item]

    def test_asks_for_a_prefill_and_keeps_it_in_the_conversation(self, tmp_path: Path) -> None:
        said = {"max_tokens": 50, "prefill": "The answer is (", "emulated": False}
        asked = turn("Which?", "B)", model="claude-sonnet-4-5", parameters=said)
        with OfflineServer() as server:
            (first, second), printed = has(
                as_python([asked, FIRST], base_url=server.url), server, tmp_path
            )
        assert first["messages"][1] == {"role": "assistant", "content": "The answer is ("}
        assert second["messages"][1]["content"][0]["text"] == "The answer is ("
        assert printed.startswith("The answer is (")
        assert "prefill" not in first

    def test_asks_for_a_choice_and_keeps_the_answer_in_the_conversation(
        self, tmp_path: Path
    ) -> None:
        with OfflineServer() as server:
            offline = Session(lambda: Settings(base_url="offline"), find=lambda: None)
            asked = Question(content=(text("Which? (A) an ant, (B) a bee"),), prefill="It is (")
            chosen = offline.ask(asked).turn
            offline.close()
            script = as_python([chosen, FIRST], base_url=server.url)
            (first, second), printed = has(script, server, tmp_path)
        assert [m["role"] for m in first["messages"]] == ["user"]
        assert first["output_config"]["format"]["type"] == "json_schema"
        assert second["messages"][1]["content"] == [{"type": "text", "text": "It is (B"}]
        assert printed.startswith("It is (B\n")

    def test_goes_on_without_a_question_that_is_declined(self, tmp_path: Path) -> None:
        with OfflineServer(behaviours=["refusal"]) as server:
            (_, second), printed = has(
                as_python([FIRST, SECOND], base_url=server.url), server, tmp_path
            )
        assert [m["content"] for m in second["messages"]] == [TRICKY]
        assert printed.startswith("[declined]\n")

    def test_ends_with_the_servers_words_where_it_refuses_a_request(self, tmp_path: Path) -> None:
        with OfflineServer(behaviours=["overloaded"]) as server:
            done = run(as_python([FIRST], base_url=server.url), tmp_path)
        assert done.returncode == 1
        assert "overloaded_error" in done.stderr and "Traceback" not in done.stderr

    @pytest.mark.parametrize(
        ("servers", "url"),
        [
            (("offline", ""), "https://api.anthropic.com/v1/messages"),
            (("offline", "http://localhost:1234"), "http://localhost:1234/v1/messages"),
        ],
    )
    def test_asks_the_server_of_the_conversation(self, servers: tuple[str, ...], url: str) -> None:
        script = as_python([replace(FIRST, id=s, server=s) for s in servers])
        assert f"URL = {url!r}\n" in script

    def test_leaves_out_what_is_no_part_of_the_conversation(self) -> None:
        others = [replace(SECOND, status="refused"), replace(SECOND, alone=True)]
        assert as_python([FIRST, *others]) == as_python([FIRST])

    def test_is_python_whatever_stands_in_the_conversation(self) -> None:
        hostile = "\"\"\"\nimport os\n''' \\"
        image = image_base64('image/png"', 'AA"\nraise SystemExit("ran")\n')
        made = turn(hostile, hostile, requested=hostile, server=f"http://x/{hostile}")
        script = as_python([replace(made, asked=(image, text(hostile)))])
        names = {"httpx", "json", "os"}
        lines = script.splitlines()
        assert {line.split()[1] for line in lines if line.startswith("import ")} == names
        assert not any(line.startswith("raise") for line in lines)
        compile(script, "again.py", "exec")
