#!/usr/bin/env python3
"""Reads a page four times a second until its standard input ends, then prints how many milliseconds each took (JSON).

page_reader.py PORT SESSION PATH
"""

from __future__ import annotations

import http.client
import json
import select
import sys
import time


def main() -> int:
    port, session, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    times = []
    while not select.select([sys.stdin], [], [], 0.25)[0]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        began = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": f"sessionid={session}"})
        response = connection.getresponse()
        response.read()
        times.append((time.perf_counter() - began) * 1000)
        connection.close()
        if response.status != 200:
            raise SystemExit(f"{path}: {response.status}")
    print(json.dumps(times))
    return 0


if __name__ == "__main__":
    sys.exit(main())
