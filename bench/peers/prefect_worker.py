"""Prefect's ECS worker as it is, in a process with whoever asks for runs; it tells when things happen."""

import asyncio
import json
import os

from channel import Orders, now, say
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect_aws.observers.ecs import ecs_observer
from prefect_aws.workers.ecs_worker import ECSWorker

POOL = "ecs"


class TellingWorker(ECSWorker):
    async def run(self, flow_run, configuration, task_status=None):
        run = str(flow_run.id)
        say("submitted", run)
        try:
            result = await super().run(flow_run, configuration, task_status)
        except Exception as error:
            say("failed", run, error=str(error))
            raise
        say("launched", run, task=result.identifier.split("::")[1])
        return result


@ecs_observer.on_event("task", statuses=["STOPPED"])
async def tell_of_end(event, tags):
    say("noticed", task=event["detail"]["taskArn"])


def template():
    """The default one; with a network where the benchmark gives one, as an operator writes it into the template."""
    default = ECSWorker.get_default_base_job_template()
    network = json.loads(os.environ.get("PEER_NETWORK", "null"))
    if network is not None:
        default["job_configuration"]["task_run_request"]["networkConfiguration"] = network
    return default


async def deploy(client, flow, seconds):
    variables = {"command": f"simulate --seconds {seconds}"} | json.loads(os.environ.get("PEER_VARIABLES", "{}"))
    name = f"seconds-{seconds}"
    return await client.create_deployment(
        flow_id=flow, name=name, work_pool_name=POOL, job_variables=variables, entrypoint="flow.py:flow", path="/"
    )


async def hand_in(client, flow, order):
    deployments = {seconds: await deploy(client, flow, seconds) for seconds in {run["seconds"] for run in order}}

    async def one(deployment):
        at = now()
        run = await client.create_flow_run_from_deployment(deployment)
        say("handIn", str(run.id), at)

    waiting = set()
    for run in order:
        waiting.add(asyncio.create_task(one(deployments[run["seconds"]])))
        if run["gapMillis"] == 0 and len(waiting) >= 10:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(run["gapMillis"] / 1000)
    if waiting:
        await asyncio.wait(waiting)


async def main():
    async with get_client() as client:
        pool = WorkPoolCreate(name=POOL, type="ecs", base_job_template=template())
        await client.create_work_pool(pool)
        flow = await client.create_flow_from_name("peers")
        worker = asyncio.create_task(TellingWorker(work_pool_name=POOL, create_pool_if_not_found=False).start())
        orders = Orders()
        say("ready")
        while not worker.done():
            order = orders.next()
            if order is not None:
                await hand_in(client, flow, order)
            await asyncio.sleep(0.05)
        await worker


asyncio.run(main())
