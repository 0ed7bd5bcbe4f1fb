"""docs/front-ends.md says what the tests show."""

from __future__ import annotations

import subprocess
import sys

from tests.front_ends.table import ROOT


def test_the_table_of_front_ends_is_what_the_tests_marks_say() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.front_ends.table", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
