"""Prints the lowest versions that pyproject.toml declares, as constraints for pip; arguments name extras."""

import re
import sys
import tomllib
from pathlib import Path


def lowest(requirement: str) -> str | None:
    """Return `name==version` of a requirement with a lower bound."""
    found = re.match(r"([A-Za-z0-9._-]+)(?:\[.*?\])?>=([0-9][0-9a-z.]*)", requirement)
    return f"{found[1]}=={found[2]}" if found else None


def main(*extras: str) -> None:
    """Print one constraint a line, of the dependencies and of some extras."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *(each for extra in extras for each in optional[extra])]:
        if (constraint := lowest(requirement)) is not None:
            sys.stdout.write(constraint + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
