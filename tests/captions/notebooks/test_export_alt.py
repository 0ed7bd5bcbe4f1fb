"""Alt text in exports: by `claude-magic alt-text enable`, in what nbconvert really makes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from markdown_it import MarkdownIt

from claude_magic.captions.notebooks.export_setting import disable, enable, is_enabled
from claude_magic.messages.errors import InputError

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9"/></svg>'
HTML = f'<img src="data:image/png;base64,{PIXEL}">'
CHART = "application/vnd.plotly.v1+json"
HARD = 'Rises [1] from $5 to "9" & <b>falls</b> *then*'
# What a cell may show: the bundle, and in which of its kinds' metadata the words are.
SHOWN: list[tuple[dict[str, object], str]] = [
    ({"image/png": PIXEL, "text/plain": "<Figure>"}, "image/png"),
    ({"image/jpeg": PIXEL}, "image/jpeg"),
    ({"image/svg+xml": SVG, "image/png": PIXEL}, "image/svg+xml"),
    ({"image/svg+xml": SVG, "image/png": PIXEL}, "image/png"),  # of the one that is not shown
    ({"text/html": HTML}, "text/html"),
]


def notebook(*outputs: tuple[dict[str, object], dict[str, object]]) -> nbformat.NotebookNode:
    """A notebook whose cells show these bundles, with these metadata."""
    made = nbformat.v4.new_notebook()
    for data, metadata in outputs:
        output = nbformat.v4.new_output("display_data", data, metadata=metadata)
        made.cells.append(nbformat.v4.new_code_cell("draw()", outputs=[output]))
    return made


def shown(data: dict[str, object], metadata: dict[str, object]) -> nbformat.NotebookNode:
    return notebook((data, metadata))


Export = Callable[..., str]


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """What `jupyter nbconvert` makes of a notebook, for a user with a configuration."""

    def exported(
        notebook: nbformat.NotebookNode, to: str = "html", *, enabled: bool = True, own: str = ""
    ) -> str:
        folder = tmp_path / "config"
        folder.mkdir(exist_ok=True)
        if own:
            (folder / "jupyter_nbconvert_config.py").write_text(own)
        if enabled:
            enable(folder / "jupyter_config.py")
        nbformat.write(notebook, tmp_path / "page.ipynb")
        command = [sys.executable, "-m", "nbconvert", "--to", to, "--output", "out", "page.ipynb"]
        env = {**os.environ, "JUPYTER_CONFIG_DIR": str(folder)}
        done = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        [made] = [path for path in tmp_path.glob("out.*") if path.is_file()]
        return made.read_text(encoding="utf-8")

    return exported


class Page(HTMLParser):
    """What an exported page says of each element, by its tag."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str, name: str) -> list[str]:
        return [said[name] or "" for found, said in self.found if found == tag and name in said]


def described(page: str) -> list[str]:
    """The alt texts of the pictures of an exported page; those of nbconvert's own are none."""
    return [alt for alt in Page(page).of("img", "alt") if not alt.startswith("No description")]


@pytest.mark.met("C1")
@pytest.mark.parametrize("to", ["html", "slides"])
def test_pages_and_slides_have_the_words_once_it_is_enabled(export: Export, to: str) -> None:
    silent = {"image/png": {"alt": "", "width": 40, "height": 30}}
    chart = {"text/html": "<div>drawn by a script</div>", CHART: {"data": []}}
    made = notebook(
        *((data, {kind: {"alt": f"{HARD} {n}"}}) for n, (data, kind) in enumerate(SHOWN)),
        ({"image/png": PIXEL}, silent),
        (chart, {CHART: {"alt": HARD}}),
        ({"image/png": PIXEL}, {}),
    )
    page = export(made, to)
    assert described(page) == [*(f"{HARD} {n}" for n in range(len(SHOWN))), ""]
    said = Page(page).found
    [passed_over] = [about for tag, about in said if tag == "img" and about.get("alt") == ""]
    assert (passed_over["width"], passed_over["height"]) == ("40", "30")
    assert str(passed_over["src"]).startswith("data:image/png;base64,")
    [described_whole] = [about for _, about in said if about.get("role") == "figure"]
    assert described_whole["aria-label"] == HARD
    images = [about for tag, about in said if tag == "img"]
    assert len(images) == len(SHOWN) + 2, "a picture without words is there as it was"


def test_without_it_they_have_none(export: Export) -> None:
    made = notebook(*((data, {kind: {"alt": HARD}}) for data, kind in SHOWN))
    assert described(export(made, enabled=False)) == []


def test_markdown_has_the_words_in_its_brackets(export: Export) -> None:
    made = shown({"image/png": PIXEL}, {"image/png": {"alt": HARD}})
    text = export(made, "markdown")
    [(words, file)] = re.findall(r"!\[((?:\\.|[^\]])*)\]\((\S+)\)", text)
    assert re.sub(r"\\(.)", r"\1", words) == HARD
    assert file == "out_files/out_0_0.png"
    assert described(MarkdownIt().render(text)) == [HARD]


def test_latex_has_the_words_where_it_knows_alt_text(export: Export) -> None:
    made = shown({"image/png": PIXEL}, {"image/png": {"alt": "From $5 & 10%"}})
    text = export(made, "latex")
    assert r"\setkeys{Gin}{alt={From \$5 \& 10\%}}\fi" in text
    assert r"{0.9\paperheight}}{out_files/out_0_0.png}" in text


def test_the_users_own_preprocessors_run_as_well(export: Export) -> None:
    own = "c.Exporter.preprocessors.append('nbconvert.preprocessors.TagRemovePreprocessor')\n"
    own += "c.TagRemovePreprocessor.remove_cell_tags = {'out'}"
    made = shown({"image/png": PIXEL}, {"image/png": {"alt": "Seen"}})
    made.cells.append(nbformat.v4.new_markdown_cell("Removed", metadata={"tags": ["out"]}))
    page = export(made, own=own)
    assert described(page) == ["Seen"]
    assert "Removed" not in page


def test_a_server_saves_and_exports_with_the_words(tmp_path: Path) -> None:
    import httpx

    folder = tmp_path / "config"
    enable(folder / "jupyter_config.py")
    nbformat.write(
        shown({"image/png": PIXEL}, {"image/png": {"alt": HARD}}), tmp_path / "page.ipynb"
    )
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--ServerApp.token=t"]
    command += ["--port=0", f"--ServerApp.root_dir={tmp_path}", "--allow-root"]
    env = {**os.environ, "JUPYTER_CONFIG_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stderr is not None
            lines = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in server.stderr)
            address = next(found[0] for found in lines if found)
            said = httpx.get(f"{address}/nbconvert/html/page.ipynb?token=t", timeout=60)
        finally:
            server.terminate()
            server.communicate()
    assert said.status_code == 200
    assert described(said.text) == [HARD]


FILES = {
    "none": None,
    "an empty one": b"",
    "one with lines": b"c.ServerApp.port = 9999\n",
    "one that ends within a line": b"c.ServerApp.port = 9999",
    "one of Windows": b"# caf\xc3\xa9\r\nc.ServerApp.port = 9999\r\n",
    "one in Latin-1": b"# -*- coding: latin-1 -*-\n# caf\xe9\n",
}


@pytest.mark.parametrize("before", FILES)
def test_the_configuration_is_as_it_was_once_it_is_disabled(tmp_path: Path, before: str) -> None:
    file = tmp_path / "config" / "jupyter_config.py"
    content = FILES[before]
    if content is not None:
        file.parent.mkdir()
        file.write_bytes(content)
    assert enable(file)
    assert is_enabled(file)
    assert not enable(file), "it is there already"
    assert file.read_bytes().startswith(content or b"#")
    assert disable(file)
    assert (file.read_bytes() if file.exists() else None) == content
    assert not disable(file)


def test_what_the_user_wrote_behind_it_stays(tmp_path: Path) -> None:
    file = tmp_path / "jupyter_config.py"
    enable(file)
    file.write_bytes(file.read_bytes() + b"c.ServerApp.port = 9999\n")
    disable(file)
    assert file.read_bytes() == b"c.ServerApp.port = 9999\n"


def test_a_file_that_jupyter_cannot_read_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "jupyter_config.py"
    file.write_bytes(b"c.ServerApp.port =\n")
    with pytest.raises(InputError, match="is no Python"):
        enable(file)
    assert file.read_bytes() == b"c.ServerApp.port =\n"


def test_lines_whose_end_is_gone_are_left_to_the_user(tmp_path: Path) -> None:
    file = tmp_path / "jupyter_config.py"
    enable(file)
    file.write_bytes(file.read_bytes().replace(b"# end of alt text in exports\n", b""))
    with pytest.raises(InputError, match="by hand"):
        disable(file)


def test_where_the_package_is_gone_the_lines_do_nothing(tmp_path: Path) -> None:
    file = tmp_path / "jupyter_config.py"
    enable(file)
    # Without site-packages, where the package is; a use of `c` would fail.
    program = f"c = None; exec(open({str(file)!r}).read())"
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    here = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "AttributeError" in here.stderr, "where it is installed they are not passed over"
