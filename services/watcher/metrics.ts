import { Metric } from "effect"

/** What `/metrics` says of a watcher. docs/operating.md describes each; a test holds both together. */

export const tasks = Metric.gauge("fleet_watcher_tasks", { description: "tasks that this process watches" })

export const unclaimedTasks = Metric.gauge("fleet_unclaimed_tasks", {
  description: "running tasks of this fleet whose run has no record, as of the last sweep over tasks"
})
