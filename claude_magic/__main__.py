"""`python -m claude_magic` is `claude-magic`."""

import sys

from .cli import main

sys.exit(main())
