"""How a peer's process talks with the benchmark: JSON lines in two files of PEER_FOLDER."""

import json
import os
import time

folder = os.environ["PEER_FOLDER"]
_events = open(os.path.join(folder, "events"), "a", buffering=1)


def now() -> float:
    """Epoch milliseconds."""
    return time.time() * 1000


def say(kind: str, run: str = "", at: float | None = None, **more) -> None:
    _events.write(json.dumps({"kind": kind, "run": run, "at": now() if at is None else at, **more}) + "\n")


class Orders:
    """What the benchmark has appended to `orders` since the last look."""

    def __init__(self):
        self._file = open(os.path.join(folder, "orders"), "a+")
        self._file.seek(0)

    def next(self) -> list | None:
        line = self._file.readline()
        return json.loads(line) if line.endswith("\n") else None
