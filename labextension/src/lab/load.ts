/**
 * What the kernel runs where somebody opens the panel and the notebook has not loaded the
 * extension. A click must run nothing of the folder that the notebook lies in, which may be
 * somebody else's: while our package and what the panel needs are imported, that folder is off the
 * path. A claude_magic that is imported already is used if it is the installed one.
 *
 * Nothing here is escaped: tests/panel/test_loading_in_a_kernel.py runs the text as it stands.
 */
export const LOAD = `
def _claude_magic_load():
    import os
    import sys

    def real(path):
        return os.path.normcase(os.path.realpath(path))

    page = os.path.dirname(os.environ.get("JPY_SESSION_NAME", ""))
    folders = [real(page)] if os.path.isabs(page) else []
    try:
        folders.append(real(os.getcwd()))
    except OSError:  # the folder was deleted under the kernel
        pass
    before = list(sys.path)
    safe = [p for p in before if os.path.isabs(p) and real(p) not in folders]
    sys.path[:] = safe
    try:
        held = sys.modules.get("claude_magic")
        if held is not None:
            finders = [f.find_spec for f in sys.meta_path if hasattr(f, "find_spec")]
            found = next(filter(None, (find("claude_magic", None) for find in finders)), None)
            origin = getattr(getattr(held, "__spec__", None), "origin", None) or "elsewhere"
            if found is None or real(found.origin or "") != real(origin):
                raise ImportError(
                    "the one that this kernel has imported is not installed, it comes from "
                    + origin + "; if you trust it, run %load_ext claude_magic in a cell"
                )
        from claude_magic.panel.chat_magic import ensure
        ensure()
    finally:
        sys.path[:] = before + [p for p in sys.path if p not in safe]


try:
    _claude_magic_load()
finally:
    del _claude_magic_load
`;
