"""Joins the modules of the page into one: anywidget takes a single ES module, and the page can't fetch others."""

from __future__ import annotations

import base64
import re
import zlib
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_IMPORT = re.compile(r'import (\{ [\w$]+(?:, [\w$]+)* \}) from "\./(\w+)\.js";')
_EXPORT = re.compile(r"export (?=(?:const|class|(?:async )?function\*?) ([\w$]+))")
_DEFAULT = "export default "
# Each widget that is saved with a notebook holds the script, so what only readers of the source need is left out.
_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*\n|/\*\*.*?\*/[ \t]*\n?)", re.DOTALL | re.MULTILINE)
_SPACE = re.compile(r"^\s+", re.MULTILINE)


def compact_style(text: str) -> str:
    """Return a style sheet without comments and without the spaces that only readers of the source need.

    Parameters
    ----------
    text
        A style sheet whose strings hold none of `{};,` and no `: ` or comment.

    Examples
    --------
    >>> compact_style("/* A */ a { color: red; b & { top: 0; } }")
    'a{color:red;b &{top:0;}}'
    """
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*([{};,])\s*", r"\1", text)
    return re.sub(r"\s+", " ", text).replace(": ", ":").strip()


@cache
def join_modules(folder: Path, entry: str = "player") -> str:
    """Return one ES module of all that `entry` imports, each module before those that import it.

    Each module keeps a scope of its own: it becomes a function that is called at once and returns what the module
    exports. The entry stands at the end as it is. Comments and spaces that begin a line are left out.

    Parameters
    ----------
    folder
        Where the modules are; they import each other as `import { name } from "./file.js";`.
    entry
        The name, without `.js`, of the module whose default export is that of the result.

    Raises
    ------
    ValueError
        A module has something that can't be joined: another form of import or export, a name that the imported
        module does not export, a text of several lines, or a circle. The message names file and line.
    FileNotFoundError
        An imported module is not there.
    """
    joined = _Joined(folder, entry)
    joined.add(entry)
    return "".join(joined.texts)


def packed(script: str) -> str:
    """Return an ES module with the default export of `script`, which it holds compressed: a third of it.

    The script is text in a notebook's file, once for each widget that is saved. The page unpacks it in a few
    milliseconds.
    """
    data = base64.b64encode(zlib.compress(f"{script}\n//# sourceURL=kataven-player.js\n".encode(), 9)).decode()
    return (
        f'const bytes = Uint8Array.from(atob("{data}"), (each) => each.charCodeAt(0));\n'
        'const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));\n'
        'const script = new Blob([await new Response(stream).text()], { type: "text/javascript" });\n'
        "const url = URL.createObjectURL(script);\n"
        "const player = await import(url);\n"
        "URL.revokeObjectURL(url);\n"
        "export default player.default;\n"
    )


class _Joined:
    """The modules that are joined so far."""

    def __init__(self, folder: Path, entry: str) -> None:
        self._folder = folder
        self._entry = entry
        self.texts: list[str] = []
        # What each module exports; None while the modules that it imports are added.
        self._exports: dict[str, list[str] | None] = {}

    def add(self, name: str) -> None:
        """Add a module, after those that it imports."""
        if name in self._exports:
            return
        self._exports[name] = None
        exports: list[str] = []
        lines = []
        source = (self._folder / f"{name}.js").read_text(encoding="utf-8")
        # Without comments, but with their line ends: messages name lines.
        source = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), source)
        for number, line in enumerate(source.splitlines(), 1):
            place = f"{name}.js, line {number}"
            if line.startswith("import"):
                lines.append(self._imported(line, place))
                continue
            if exported := _EXPORT.match(line):
                exports.append(exported[1])
                line = line[exported.end() :]  # noqa: PLW2901 - the line as it is kept
            self._check(name, line, place)
            lines.append(line)
        self._exports[name] = exports
        text = _SPACE.sub("", "".join(f"{line}\n" for line in lines))
        if name != self._entry:
            text = f"const ${name} = (() => {{\n{text}return {{ {', '.join(exports)} }};\n}})();\n"
        self.texts.append(text)

    def _imported(self, line: str, place: str) -> str:
        """Add the module that an import names, and return the line that takes what is imported from it."""
        found = _IMPORT.fullmatch(line)
        if found is None:
            raise ValueError(f'{place}: write import {{ name }} from "./file.js"; instead of: {line}')
        names, module = found.groups()
        self.add(module)
        exports = self._exports[module]
        if exports is None:
            raise ValueError(f"{place}: {module}.js imports this module too, itself or by others")
        unknown = set(names.strip("{ }").split(", ")) - set(exports)
        if unknown:
            raise ValueError(f"{place}: {module}.js does not export {', '.join(sorted(unknown))}")
        return f"const {names} = ${module};"

    def _check(self, name: str, line: str, place: str) -> None:
        """Refuse a line that would mean something else in the joined module."""
        is_default = name == self._entry and line.startswith(_DEFAULT)
        if (re.match(r"\W*(?:import|export)\b", line) and not is_default) or re.search(r"\bimport\s*[(.]", line):
            raise ValueError(f"{place}: this can't be joined: {line.strip()}")
        if line.count("`") % 2 or line.endswith("\\"):
            raise ValueError(f"{place}: a text of several lines would lose the spaces that begin them")
