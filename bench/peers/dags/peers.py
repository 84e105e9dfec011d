"""One task for each definition of a program that takes so many seconds."""

import json
import os

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

for seconds in json.loads(os.environ["PEER_SECONDS"]):
    family = f"peers-{seconds}".replace(".", "-")
    with DAG(f"seconds-{seconds}", schedule=None, is_paused_upon_creation=False):
        BashOperator(task_id="main", bash_command="true", executor_config={"taskDefinition": family})
