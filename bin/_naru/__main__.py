"""``python bin/_naru start|test|serve|dockerfile|compose-plugins``; bin/start and bin/test call this."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from _naru import say


def main(command: str, arguments: list[str]) -> int:
    if command == "start":
        from _naru.start import main as run
    elif command == "test":
        from _naru.check import main as run
    elif command == "serve":
        from _naru.serve import main as run
    elif command == "dockerfile":
        from _naru.dockerfile import main as run
    else:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return run(arguments)
    except say.Failure as failure:
        say.failed(failure)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:]))
