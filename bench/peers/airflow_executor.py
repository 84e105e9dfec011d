"""Airflow's ECS executor as it is; it tells when things happen."""

from airflow.providers.amazon.aws.executors.ecs import AwsEcsExecutor
from channel import say


class TellingExecutor(AwsEcsExecutor):
    def execute_async(self, key, *args, **kwargs):
        say("submitted", key.run_id)
        return super().execute_async(key, *args, **kwargs)

    def running_state(self, key, info=None, **kwargs):
        say("launched", key.run_id, task=info)
        return super().running_state(key, info, **kwargs)

    def success(self, key, *args, **kwargs):
        say("noticed", key.run_id)
        return super().success(key, *args, **kwargs)

    def fail(self, key, *args, **kwargs):
        say("failed", key.run_id)
        return super().fail(key, *args, **kwargs)
