"""A notebook of somebody else's reaches no file outside of the folder that the user has named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_magic.captions.notebooks.notebook_file import NotebookFile
from claude_magic.cli import main
from claude_magic.offline import OfflineServer
from tests.captions.datasets.many_samples import questions
from tests.captions.notebooks.notebook_samples import (
    BLUE,
    GREEN,
    RED,
    attachment,
    base64_of,
    code,
    markdown,
    saved,
    shown,
)

# What a notebook in `repo/papers` says, with the private picture at `secret/private.png` beside
# `repo`: {secret} is its absolute path. `repo/papers/link.png` and `repo/away` are links to it.
OUTSIDE = {
    "a relative path": "![](../../secret/private.png)",
    "an escaped one": "![](%2e%2e/%2e%2e/secret/private.png)",
    "one that goes in and out": "![](figures/../../../secret/private.png)",
    "an absolute path": "![]({secret})",
    "a file URL": "![](file://{secret})",
    "a file URL of this machine": "![](FILE://localhost{secret})",
    "a file URL without slashes": "![](file:{secret})",
    "a link": "![](link.png)",
    "a folder that is a link": "![](../away/private.png)",
    "a link of links": "![](chain.png)",
    "HTML": '<img src="../../secret/private.png">',
    "HTML within a line": "see <IMG src='file://{secret}' width=3> here",
    "HTML with entities": '<img src="&#46;&#46;/../secret/private.png">',
    "a reference": "![][a]\n\n[a]: ../../secret/private.png",
    "in a table": "| a |\n|---|\n| ![](../../secret/private.png) |",
}
INSIDE = {
    "beside it": "![](own.png)",
    "below it": "![](figures/deep.png)",
    "the folder's own": "![](../shared.png)",
    "by an absolute path": "![]({repo}/shared.png)",
    "by a file URL": "![](file://{repo}/shared.png)",
    "a link within": "![](inner.png)",
    "HTML": '<img src="own.png">',
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Somebody's repository, and a private picture that is not of it."""
    secret, papers = tmp_path / "secret", tmp_path / "repo" / "papers"
    secret.mkdir()
    (papers / "figures").mkdir(parents=True)
    (secret / "private.png").write_bytes(RED)
    (papers / "own.png").write_bytes(GREEN)
    (papers / "figures" / "deep.png").write_bytes(GREEN)
    (papers.parent / "shared.png").write_bytes(GREEN)
    (papers / "inner.png").symlink_to("../shared.png")
    (papers / "link.png").symlink_to(secret / "private.png")
    (papers / "chain.png").symlink_to("link.png")
    (papers.parent / "away").symlink_to(secret)
    return papers.parent


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[OfflineServer]:
    with OfflineServer() as running:
        monkeypatch.setenv("CLAUDE_MAGIC_BASE_URL", running.url)
        monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
        yield running


def said(text: str, repo: Path) -> str:
    secret = repo.parent / "secret" / "private.png"
    return text.format(secret=secret, repo=repo)


def sent(server: OfflineServer) -> str:
    """All that left this machine."""
    return json.dumps(questions(server))


@pytest.mark.met("C8")
@pytest.mark.parametrize("case", OUTSIDE)
def test_a_picture_outside_is_not_sent_and_it_is_said(
    server: OfflineServer, repo: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    path = saved(repo / "papers" / "n.ipynb", markdown(said(OUTSIDE[case], repo)))
    before = path.read_bytes()
    status = main(["caption", "--write", str(repo)])
    out = capsys.readouterr().out
    assert server.requests == [] and path.read_bytes() == before
    assert status == 1 and f"leads outside of {repo}: --allow-outside has it sent" in out
    main(["caption", "--dry-run", str(repo)])
    assert "cell 1, image 1: left out, '" in capsys.readouterr().out
    assert main(["caption", "--write", "--allow-outside", str(repo)]) == 0
    assert base64_of(RED) in sent(server)


@pytest.mark.met("C8")
@pytest.mark.parametrize("case", INSIDE)
def test_a_picture_inside_is_sent(server: OfflineServer, repo: Path, case: str) -> None:
    path = saved(repo / "papers" / "n.ipynb", markdown(said(INSIDE[case], repo)))
    assert main(["caption", "--write", str(repo)]) == 0
    assert base64_of(GREEN) in sent(server)
    assert [figure.alt for figure in NotebookFile(path).figures()] == ["offline server"]


@pytest.mark.met("C8")
def test_of_a_notebook_that_is_named_its_folder_counts(
    server: OfflineServer, repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(repo / "papers" / "n.ipynb", markdown("![](../shared.png) ![](own.png)"))
    assert main(["caption", str(path)]) == 1
    assert len(questions(server)) == 1
    assert f"leads outside of {repo / 'papers'}" in capsys.readouterr().out


@pytest.mark.met("C8")
@pytest.mark.parametrize("named", ["the folder", "the link"])
def test_a_link_to_a_notebook_outside_is_not_read_sent_or_written(
    server: OfflineServer, repo: Path, capsys: pytest.CaptureFixture[str], named: str
) -> None:
    theirs = saved(repo.parent / "secret" / "private.ipynb", code("p()", shown(RED)))
    link = repo / "papers" / "n.ipynb"
    link.symlink_to(theirs)
    before = theirs.read_bytes()
    folder = repo if named == "the folder" else repo / "papers"
    line = f"leads outside of {folder}: --allow-outside has it read."
    asked = str(repo if named == "the folder" else link)
    for way in (["--write"], ["--check"], ["--dry-run"]):
        assert main(["caption", *way, asked]) == 1
        assert line in capsys.readouterr().out
    if named == "the link":
        assert main(["caption", "--decorative", "1.1", asked]) == 2
        assert line in capsys.readouterr().err
    assert server.requests == [] and theirs.read_bytes() == before
    assert main(["caption", "--write", "--allow-outside", asked]) == 0
    assert link.is_symlink() and theirs.read_bytes() != before


@pytest.mark.met("C8")
def test_links_that_stay_inside_are_one_notebook_and_those_that_go_round_a_line(
    server: OfflineServer, repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(repo / "papers" / "real.ipynb", code("p()", shown(RED)))
    (repo / "papers" / "again.ipynb").symlink_to("real.ipynb")
    (repo / "papers" / "round.ipynb").symlink_to("round.ipynb")
    assert main(["caption", "--write", str(repo)]) == 1
    assert "round.ipynb\n\nNot read: cannot be read (Too many levels" in capsys.readouterr().out
    assert len(questions(server)) == 1 and NotebookFile(path).figures()[0].alt


@pytest.mark.met("C8")
def test_an_attachment_is_its_own_picture_and_names_no_other(
    server: OfflineServer, repo: Path
) -> None:
    theirs = {"type": "image", "source": {"type": "file", "file_id": "file_of_the_user"}}
    saved(
        repo / "n.ipynb",
        markdown("![](attachment:a)", attachments={"a": theirs}),
        markdown("![](attachment:../secret/private.png)", attachments={}),
        markdown("![](attachment:b)", attachments={"b": attachment(BLUE)}),
    )
    assert main(["caption", str(repo)]) == 1
    assert len(questions(server)) == 1 and base64_of(BLUE) in sent(server)
    assert "file_of_the_user" not in sent(server)
