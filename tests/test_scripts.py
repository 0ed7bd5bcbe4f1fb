"""The Python API in a script, where there is no IPython."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from claude_magic.offline import OfflineServer

# As on a machine where only the package's core was installed.
WITHOUT_JUPYTER = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("IPython", "ipywidgets", "ipykernel"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
import claude_magic
from PIL import Image
red = Image.new("RGB", (60, 40), "red")

def len_of(word: str) -> int:
    "How long a word is."
    return len(word)
"""


def script(folder: Path, code: str, **environment: str) -> str:
    """What a Python script prints, or the last line of its error."""
    foreign = ("ANTHROPIC_", "CLAUDE_MAGIC_")
    env = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    env |= {"CLAUDE_MAGIC_BASE_URL": "offline", "JUPYTER_DATA_DIR": str(folder / "jupyter")}
    env |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", **environment}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_JUPYTER + code],
        check=False,
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=50,
    )
    return done.stdout if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def test_a_conversation_goes_on_from_question_to_question(tmp_path: Path) -> None:
    printed = script(
        tmp_path,
        "with claude_magic.Conversation() as c:\n"
        "    print(c.ask('What is this?', images=red).text)\n"
        "    print(c.ask('And now?'), len(c.turns), c.spent)\n",
    )
    assert "Image 1: PNG, 60 x 40 pixels, all red" in printed
    assert "Turn 2 of this conversation" in printed
    assert printed.rstrip().endswith("2 0.0")
    assert not (tmp_path / "jupyter").exists(), "without a name nothing is kept"


def test_a_name_keeps_it_for_the_next_script(tmp_path: Path) -> None:
    code = "with claude_magic.Conversation('survey') as c: print(c.ask('Next?'))"
    assert "Turn 1 of" in script(tmp_path, code)
    assert "Turn 2 of" in script(tmp_path, code)
    assert "Turn 1 of" in script(tmp_path, code.replace("survey", "other"))


def test_ask_alone_is_a_question_by_itself(tmp_path: Path) -> None:
    printed = script(tmp_path, "for _ in 'ab': print(claude_magic.ask('Hi', images=[red]))")
    assert printed.count("Turn 1 of this conversation") == 2


def test_a_recording_makes_a_script_repeatable_without_a_server(tmp_path: Path) -> None:
    code = (
        "with claude_magic.Conversation(record='replies.jsonl', replay=REPLAY) as c:\n"
        "    for question in ('One', 'Two'): print(c.ask(question).text)\n"
    )
    with OfflineServer() as server:
        first = script(tmp_path, f"REPLAY='on'\n{code}", CLAUDE_MAGIC_BASE_URL=server.url)
        again = script(tmp_path, f"REPLAY='only'\n{code}", CLAUDE_MAGIC_BASE_URL=server.url)
        assert len(server.requests) == 2
    assert again == first != ""


def test_a_reply_may_be_asked_for_as_a_value(tmp_path: Path) -> None:
    schema = tmp_path / "point.json"
    schema.write_text('{"type": "object", "properties": {"x": {"type": "integer"}}}', "utf-8")
    printed = script(
        tmp_path,
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class Point:\n    x: int\n"
        "with claude_magic.Conversation() as c:\n"
        "    print(c.ask('Where?', json=list[Point]).value)\n"
        "print(claude_magic.ask('Where?', json='point.json').value)\n",
    )
    assert printed == "[Point(x=1), Point(x=2)]\n{'x': 1}\n"


ERRORS = {
    "a shape by its name": (
        "Conversation().ask('What?', json='Point')",
        "InputError: --json Point: no such file, and 'Point' is a text: give the type itself",
    ),
    "an unknown setting": ("Conversation(modle='opus')", "InputError: 'modle' is no setting"),
    "a value that does not fit": ("Conversation(budget='much')", "InputError: %claude_config"),
    "an empty question": ("Conversation().ask(' ')", "InputError: The question is empty"),
    "an image that is not there": (
        "Conversation().ask('What?', images='no.png')",
        "InputError: -i no.png: no such file",
    ),
    "a file that is not there": ("Conversation().ask('What?', files='no.txt')", "no.txt"),
    "tools of which nobody can allow a call": (
        "Conversation().ask('Hi', tools=len_of)",
        "InputError: Nobody can be asked here whether a call may run: give approve=a function",
    ),
    "a tool by its name": (
        "Conversation().ask('Hi', tools='len_of')",
        "InputError: tools='len_of': give the function itself, or computer, web or code.",
    ),
    "a word for approve that is none": (
        "Conversation().ask('Hi', tools=len_of, approve='yes')",
        "InputError: approve='yes': give one of ask, auto, never, or a function.",
    ),
    "no key": ("Conversation(base_url='https://api.anthropic.com').ask('Hi')", "CredentialError"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_bad_input_is_one_line_that_says_what_to_do(tmp_path: Path, case: str) -> None:
    code, said = ERRORS[case]
    assert said in script(tmp_path, f"claude_magic.{code}")


def test_a_script_gives_functions_and_says_which_calls_may_run(tmp_path: Path) -> None:
    printed = script(
        tmp_path,
        "def allow(name, arguments): return arguments['word'] != 'no' or 'not this one'\n"
        "async def later(word: str) -> str: return word.upper()\n"
        'ask = \'Call len_of("four"), len_of("no"), later("b") and later("c").\'\n'
        "with claude_magic.Conversation() as c:\n"
        "    reply = c.ask(ask, tools=[len_of, later], approve=allow)\n"
        "    for step in reply.turn.steps:\n"
        "        for result in step.answer: print(result['content'][0]['text'])\n",
    )
    assert printed.splitlines() == [
        "4",
        "This call was not allowed by the user: not this one",
        "B",
        "C",
    ]


def test_a_key_given_is_in_no_repr_and_not_sent_offline(tmp_path: Path) -> None:
    printed = script(
        tmp_path,
        "c = claude_magic.Conversation(key='sk-ant-canary-0123456789')\n"
        "print(repr(c), vars(c), c.ask('My key is sk-ant-canary-0123456789'), vars(c))\n",
    )
    assert "Turn 1" in printed
    assert "canary" not in printed


def test_a_key_given_is_in_no_part_of_what_is_asked(tmp_path: Path) -> None:
    with OfflineServer() as server:
        printed = script(
            tmp_path,
            "key = 'canary-of-a-gateway'\n"
            f"c = claude_magic.Conversation(key=key, base_url={server.url!r})\n"
            "said = dict(files={'A title': key}, system=f'Use {key}.', prefill=f'{key}:')\n"
            "print(c.ask(f'What is {key}?', **said).text)\n",
        )
        (body,) = [r.json for r in server.requests if r.path == "/v1/messages"]
    assert "[key]" in printed
    assert "canary" not in f"{printed}{body}"
    assert "[key]" in str(body["system"])


def test_objects_and_titled_texts_go_along_as_documents(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Ants have six legs.", encoding="utf-8")
    printed = script(
        tmp_path,
        "from pathlib import Path\n"
        "import numpy as np\n"
        "with claude_magic.Conversation() as c:\n"
        "    asked = c.ask('Hi', files=[Path('notes.txt'), b'bytes', np.eye(2)], cite=True)\n"
        "    print([b.get('title') for b in asked.turn.asked])\n"
        "    print(c.ask('Hi', files={'The day': 'notes.txt is a name'}).turn.asked[0])\n"
        "    print(c.ask('Hi', files='notes.txt').turn.asked[0]['title'])\n",
    )
    first, second, third = printed.splitlines()
    assert first == "['notes.txt', None, 'ndarray', None]"
    assert "'data': 'notes.txt is a name'" in second
    assert "'title': 'The day'" in second
    assert "'citations': {'enabled': True}" in second, "as the question before it"
    assert third == "notes.txt"


def test_a_name_is_no_document_in_a_script(tmp_path: Path) -> None:
    printed = script(tmp_path, "claude_magic.ask('Hi', files='df')")
    assert "-f df: no such file, and 'df' is no address; give the object itself" in printed
