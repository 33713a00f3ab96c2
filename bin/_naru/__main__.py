"""``python bin/_naru start|test|serve|dockerfile``; bin/start and bin/test call this."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from _naru import say


def main(command: str, arguments: list[str]) -> int:
    modules = {"start": "start", "test": "check", "serve": "serve", "dockerfile": "dockerfile"}
    if command not in modules:
        print(__doc__, file=sys.stderr)
        return 2
    run = importlib.import_module(f"_naru.{modules[command]}").main  # only the one that is asked for
    try:
        return int(run(arguments))
    except say.Failure as failure:
        say.failed(failure)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:]))
