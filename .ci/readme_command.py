"""Prints the README's command of a given purpose, so that CI runs what readers copy."""

import re
import sys
from pathlib import Path


def command(readme: str, purpose: str) -> str:
    """Return the shell block that follows the comment `<!-- command: purpose -->`."""
    found = re.search(rf"<!-- command: {purpose} -->\s*```(?:bash|sh)\n(.*?)```", readme, re.DOTALL)
    if found is None:
        raise SystemExit(f"README.md has no command for {purpose!r}")
    return found[1]


if __name__ == "__main__":
    sys.stdout.write(command((Path(__file__).parent.parent / "README.md").read_text(), sys.argv[1]))
