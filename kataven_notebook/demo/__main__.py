"""``python -m kataven_notebook.demo --serve``: a demo Hub in a process of its own."""

import sys

from kataven_notebook.demo import serve

if __name__ == "__main__":
    sys.exit(serve())
