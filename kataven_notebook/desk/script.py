"""Joins the modules of the page into one: anywidget takes a single ES module, and the page can't fetch others."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_IMPORT = re.compile(r'import \{ ([\w$]+(?:, [\w$]+)*) \} from "\./([\w-]+\.js)";')
_DECLARATION = re.compile(r"(export )?(?:const|let|class|(?:async )?function) ([\w$]+)")
_DEFAULT = "export default "
# Each widget that is saved with a notebook holds the script, so what only readers of the source need is left out.
_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*\n|/\*\*.*?\*/[ \t]*\n?)", re.DOTALL | re.MULTILINE)
_SPACE = re.compile(r"^\s+", re.MULTILINE)


@cache
def join_modules(folder: Path, entry: str = "player.js") -> str:
    """Return one ES module of all that `entry` imports, each module before those that import it.

    Joined modules share one scope, so a name may be declared once at the top level of all of them. Comments and
    spaces that begin a line are left out.

    Parameters
    ----------
    folder
        Where the modules are; they import each other as `import { name } from "./file.js";`.
    entry
        The module whose default export is that of the result.

    Raises
    ------
    ValueError
        A module has something that can't be joined: another form of import or export, a name that another one
        declares or that the imported module does not export, or a circle. The message names file and line.
    FileNotFoundError
        An imported module is not there.
    """
    joined = _Joined(folder, entry)
    joined.add(entry)
    return "".join(joined.texts)


class _Joined:
    """The modules that are joined so far."""

    def __init__(self, folder: Path, entry: str) -> None:
        self._folder = folder
        self._entry = entry
        self.texts: list[str] = []
        # Where each name of the shared scope is declared.
        self._declared: dict[str, str] = {}
        # What each module exports; None while the modules that it imports are added.
        self._exports: dict[str, set[str] | None] = {}

    def add(self, name: str) -> None:
        """Add a module, after those that it imports."""
        if name in self._exports:
            return
        self._exports[name] = None
        exports: set[str] = set()
        kept = []
        source = (self._folder / name).read_text(encoding="utf-8")
        for number, line in enumerate(source.splitlines(keepends=True), 1):
            place = f"{name}, line {number}"
            if line.startswith("import"):
                self._take_import(line.rstrip(), place)
                continue
            if declared := _DECLARATION.match(line):
                exports |= {declared[2]} if declared[1] else set()
                self._declare(declared[2], place)
                line = line.removeprefix("export ")  # noqa: PLW2901 - the line as it is kept
            elif re.match(r"(?:const|let|var) ", line) or (
                line.startswith("export") and not self._is_default(name, line)
            ):
                raise ValueError(f"{place}: this can't be joined: {line.strip()}")
            if line.count("`") % 2:
                raise ValueError(f"{place}: a text of several lines would lose the spaces that begin them")
            kept.append(line)
        self._exports[name] = exports
        self.texts.append(_SPACE.sub("", _COMMENT.sub("", "".join(kept))))

    def _take_import(self, line: str, place: str) -> None:
        found = _IMPORT.fullmatch(line)
        if found is None:
            raise ValueError(f'{place}: write import {{ name }} from "./file.js"; instead of: {line}')
        self.add(found[2])
        exports = self._exports[found[2]]
        if exports is None:
            raise ValueError(f"{place}: {found[2]} imports this module too, itself or by others")
        unknown = set(found[1].split(", ")) - exports
        if unknown:
            raise ValueError(f"{place}: {found[2]} does not export {', '.join(sorted(unknown))}")

    def _declare(self, name: str, place: str) -> None:
        if name in self._declared:
            raise ValueError(f"{place}: {name} is declared in {self._declared[name]} too; rename one")
        self._declared[name] = place

    def _is_default(self, name: str, line: str) -> bool:
        return name == self._entry and line.startswith(_DEFAULT)
