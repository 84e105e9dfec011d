"""Asks Airflow for runs as its command line does: by writing them into its database."""

import time

from airflow.api.common.trigger_dag import trigger_dag
from airflow.utils import timezone
from airflow.utils.types import DagRunTriggeredByType
from channel import Commands, now, say


def hand_in(command, count):
    for at, gap in enumerate(command["gaps"]):
        run = f"run-{count + at}"
        begun = now()
        trigger_dag(
            f"seconds-{command['seconds']}",
            triggered_by=DagRunTriggeredByType.CLI,
            run_id=run,
            logical_date=None,
            run_after=timezone.utcnow(),
        )
        say("handIn", run, begun)
        time.sleep(gap / 1000)
    return count + len(command["gaps"])


def main():
    commands = Commands()
    count = 0
    say("ready")
    while True:
        command = commands.next()
        if command is not None:
            count = hand_in(command, count)
        time.sleep(0.05)


main()
