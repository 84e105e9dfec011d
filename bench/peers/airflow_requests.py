"""Asks Airflow for runs as its command line does: by writing them into its database."""

import time

from airflow.api.common.trigger_dag import trigger_dag
from airflow.utils import timezone
from airflow.utils.types import DagRunTriggeredByType
from channel import Orders, now, say


def hand_in(order, count):
    for at, wanted in enumerate(order):
        run = f"run-{count + at}"
        begun = now()
        trigger_dag(
            f"seconds-{wanted['seconds']}",
            triggered_by=DagRunTriggeredByType.CLI,
            run_id=run,
            logical_date=None,
            run_after=timezone.utcnow(),
        )
        say("handIn", run, begun)
        time.sleep(wanted["gapMillis"] / 1000)
    return count + len(order)


def main():
    orders = Orders()
    count = 0
    say("ready")
    while True:
        order = orders.next()
        if order is not None:
            count = hand_in(order, count)
        time.sleep(0.05)


main()
