"""Follows the lines of a run, from the first one to its end: python examples/follow.py <run id> (pip install nats-py)."""

import asyncio
import json
import os
import sys

import nats

# A long line comes in pieces, and other lines may stand between them.
pieces = {}


def text_of(attempt, line):
    """The text of a whole line; None while pieces of it are missing."""
    if "part" not in line:
        return line["text"]
    key = (attempt, line["container"], line.get("id"))
    pieces[key] = pieces.get(key, "") + line["text"]
    return pieces.pop(key) if line.get("last") else None


async def main(run_id):
    nc = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:4222"), max_reconnect_attempts=-1)
    logs = await nc.jetstream().subscribe(
        f"logs.{run_id}",
        stream="FLEET_LOGS",
        ordered_consumer=True,
        idle_heartbeat=1,  # seconds: so soon it is noticed that a restarted server has forgotten us
    )
    async for message in logs.messages:
        batch = json.loads(message.data)
        for line in batch.get("lines", []):
            text = text_of(batch["attempt"], line)
            if text is not None:
                print(text, flush=True)
        if "end" in batch:
            for text in pieces.values():
                print(text, flush=True)
            if not batch["end"]["complete"]:
                print("the last lines may be missing", file=sys.stderr)
            break
    await nc.close()


if len(sys.argv) != 2:
    sys.exit("Say which run: python examples/follow.py <run id>")
asyncio.run(main(sys.argv[1]))
