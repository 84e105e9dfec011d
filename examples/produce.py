"""A producer that knows nothing of ecs-fleet but three subjects: one to ask on, two to read from (pip install nats-py)."""

import asyncio
import json
import os

import nats

REQUEST = {"command": ["sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.2; done; exit 3"]}


async def main():
    nc = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:4222"))
    js = nc.jetstream()
    ack = await js.publish("run.requested", json.dumps(REQUEST).encode())
    run_id = f"run-{ack.seq}"

    logs = await js.subscribe(f"logs.{run_id}", ordered_consumer=True)
    async for message in logs.messages:
        batch = json.loads(message.data)
        for line in batch.get("lines", []):
            print(line["text"], flush=True)
        if "end" in batch:
            break

    ends = await js.subscribe(f"run.finished.{run_id}", ordered_consumer=True)
    finished = json.loads((await ends.next_msg(timeout=60)).data)
    print(f"{finished['outcome']}, exit code {finished.get('exitCode')}")
    await nc.close()


asyncio.run(main())
