"""Draws the SVG on stdin as PNG on stdout: the program of a process of its own (see svg.py).

Arguments: the folder that holds resvg_py; `fonts` to load the system's fonts, else `plain`.
Run by its path with `-I -S`, so it imports nothing else of this package.
"""

import sys

SECONDS = 20
BYTES = 1_500_000_000


def main() -> int:
    """0 and a PNG on stdout, or 1 and one line on stderr."""
    try:
        import resource

        # Where there are no such limits (Windows), the parent's timeout is the only one.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    except (ImportError, ValueError, OSError):
        pass
    sys.path.insert(0, sys.argv[1])
    import resvg_py

    try:
        png = resvg_py.svg_to_bytes(
            svg_string=sys.stdin.buffer.read().decode(),
            background="white",
            skip_system_fonts=sys.argv[2] != "fonts",
        )
    except ValueError as error:
        sys.stderr.write(" ".join(str(error).split()))
        return 1
    sys.stdout.buffer.write(png)
    return 0


if __name__ == "__main__":
    sys.exit(main())
