import type { Chart } from "./chart.ts"

/** What docs/performance.md says of a benchmark beside its table. */
export interface Section {
  readonly about: ReadonlyArray<string>
  readonly charts: ReadonlyArray<Chart>
}

const contenders = {
  chain: "bare chain of four hops",
  skeleton: "skeleton, NATS client alone",
  memory: "fleet, ECS in memory",
  localAws: "fleet, local-aws"
}

const products = {
  fleet: "ecs-fleet",
  "prefect.defaults": "Prefect",
  "prefect.fastest": "Prefect, fastest settings",
  "airflow.defaults": "Airflow",
  "airflow.fastest": "Airflow, fastest settings"
}

export const sections: Readonly<Record<string, Section>> = {
  hop: {
    about: [
      "From the acknowledged request until RunTask arrives (`launch`), and until `run.finished` can be read (`finish`), at a steady 20, 100 and 500 requests a second that do not wait for each other. A task ends as soon as it is asked about. `memory` has ECS inside the services' process; `localAws` is called by the AWS SDK over HTTP.",
      "Two limits beside it: `chain` hands a message on through four consumers and does nothing else, `skeleton` sends what the fleet sends for a run (messages, records, acknowledgements) with the NATS client alone: no schemas, no decisions, no retries."
    ],
    charts: [
      {
        file: "hop-launch",
        title: "Request to RunTask, median",
        kind: "bars",
        isLog: true,
        pattern: /^(?<series>\w+)\.(?<at>\d+)\.launch\.p50$/,
        axis: "runs a second",
        names: contenders
      },
      {
        file: "hop-finish",
        title: "Request to run.finished, median",
        kind: "bars",
        isLog: true,
        pattern: /^(?<series>\w+)\.(?<at>\d+)\.finish\.p50$/,
        axis: "runs a second",
        names: contenders
      }
    ]
  },
  throughput: {
    about: [
      "How many runs a second go through from the first of many requests until nothing is left to do for any of them, lines and records included; tasks end at once. `memory` has ECS in the services' process, `localAws` is called by the AWS SDK over HTTP; `inOne` is one process for all services, `perService` one for each; the number is the replicas. Producer, nats-server, local-aws and all services share the cores, so replicas bring nothing here but what they cost. AWS's own quota of RunTask is 20 to 40 a second.",
      "`ofSkeleton` is the share of what the NATS client alone reaches with the same messages and keys."
    ],
    charts: [
      {
        file: "throughput",
        title: "Runs per second, end to end",
        kind: "bars",
        pattern: /^(?<series>memory\.inOne|localAws\.inOne|localAws\.perService)\.(?<at>\d+)$/,
        axis: "replicas of each service",
        names: {
          "memory.inOne": "one process, ECS in memory",
          "localAws.inOne": "one process, local-aws",
          "localAws.perService": "a process for each service, local-aws"
        }
      }
    ]
  },
  calls: {
    about: [
      "Calls to AWS for each run, of a batch of equal runs and of one where every run needs a definition of its own; `cold` is the first time, `warm` the second. `describe` is DescribeTasks over what it may be: running / 100 + clusters, for each sweep and replica."
    ],
    charts: [
      {
        file: "calls",
        title: "Calls to AWS per run",
        kind: "bars",
        pattern:
          /^(?<series>equal\.cold|equal\.warm|distinct\.cold|distinct\.warm)\.(?<at>RunTask|RegisterTaskDefinition|DescribeTasks|FilterLogEvents)$/,
        axis: "action"
      }
    ]
  },
  "in-flight": {
    about: [
      "Tasks that run and are held by one watcher, or by two: the facts are published and the tasks made in local-aws directly. Measured while nothing happens but watching; `server` is nats-server's share of a core, `takeOver` how long it took from the start of the watchers until every task was theirs, `noticed` how long after its end a task's end was told; `reads` are DescribeTasks and ListTasks together, of which AWS allows 1,200 a minute."
    ],
    charts: [
      {
        file: "in-flight-memory",
        title: "Memory of one watcher",
        kind: "bars",
        pattern: /^(?<at>\d+)\.(?<series>one|two)\.memory$/,
        axis: "tasks that run",
        names: { one: "one watcher", two: "two watchers, each" }
      },
      {
        file: "in-flight-cpu",
        title: "Cores taken by the watchers",
        kind: "bars",
        pattern: /^(?<at>\d+)\.(?<series>one|two)\.cpu$/,
        axis: "tasks that run",
        names: { one: "one watcher", two: "two watchers, together" }
      }
    ]
  },
  logs: {
    about: [
      "From the time in a line until the line can be read from its stream, with AWS's quotas on; how many calls of FilterLogEvents that took, all runs together; and how fast lines are published when CloudWatch is no limit (`publishing`, beside the same batches published by the NATS client alone)."
    ],
    charts: [
      {
        file: "logs-lag",
        title: "How far behind the lines are",
        kind: "bars",
        pattern: /^live\.(?<at>\d+)\.lag\.(?<series>p50|p99)$/,
        axis: "live runs, a line a second each",
        names: { p50: "median", p99: "99 %" }
      },
      {
        file: "logs-reads",
        title: "Calls of FilterLogEvents",
        kind: "bars",
        pattern: /^live\.(?<at>\d+)\.(?<series>reads)$/,
        axis: "live runs, a line a second each",
        names: { reads: "all runs together" }
      }
    ]
  },
  burst: {
    about: [
      "All requests at once, against AWS's own token buckets (`--quotas aws`), with the launcher's pace as it is by default. `overLeast` is the time that launching took over the least that the pace allows."
    ],
    charts: []
  },
  "start-up": {
    about: [
      "From the start of the process until `/ready` says so, and resident memory when it is idle, from the bundle that is in the image; `node` is an empty program. `installed` is what is on disk beside Node: the bundle, and the packages that it is made from."
    ],
    charts: [
      {
        file: "start-up",
        title: "Time until a service is ready",
        kind: "bars",
        pattern: /^(?<at>[\w-]+)\.(?<series>ready)$/,
        axis: "process",
        names: { ready: "ready" }
      }
    ]
  },
  growth: {
    about: [
      "What a run costs when many are over already: CPU time of all services and nats-server for each new run, and how long `fleet ps` and `fleet describe` take, with more and more finished runs in one store. `cpu.growth` is the cost in the largest store over that in the one of a thousand runs, `server.growth` nats-server's share of it alone."
    ],
    charts: [
      {
        file: "growth-cpu",
        title: "CPU time per run",
        kind: "lines",
        pattern: /^cpu\.(?<at>\d+)\.(?<series>[\w-]+)$/,
        axis: "finished runs in the store"
      },
      {
        file: "growth-commands",
        title: "Time of a command",
        kind: "lines",
        pattern: /^(?<series>ps|psAll|describe)\.(?<at>\d+)$/,
        axis: "finished runs in the store",
        names: { ps: "fleet ps", psAll: "fleet ps --all", describe: "fleet describe" }
      }
    ]
  },
  peers: {
    about: [
      "Prefect's ECS worker and Airflow's ECS executor beside ecs-fleet, one after another against the same local-aws: each as it is published, at its defaults and at its fastest settings, nothing slowed down. How they are run, what is recorded where, and what to read with care: [bench/peers](../bench/peers/README.md).",
      "`handIn` is the time from handing a run in until RunTask arrives, the peer's own poll or loop included; `submit` from its call to submit; `notice` from the task's end until the product knows of it. `inFlight` is memory with so many tasks running, `memory` of the processes that launch and watch, `memoryOfAll` with servers and stores; `quotas` is a batch of runs at once against AWS's quotas."
    ],
    charts: [
      {
        file: "peers-hand-in",
        title: "From handing in to RunTask",
        kind: "bars",
        isLog: true,
        pattern:
          /^(?<series>fleet|prefect\.defaults|prefect\.fastest|airflow\.defaults|airflow\.fastest)\.handIn\.(?<at>p50|max)$/,
        axis: "median, and the longest",
        names: products
      },
      {
        file: "peers-notice",
        title: "From the end of a task until it is noticed",
        kind: "bars",
        isLog: true,
        pattern:
          /^(?<series>fleet|prefect\.defaults|prefect\.fastest|airflow\.defaults|airflow\.fastest)\.notice\.(?<at>p50|max)$/,
        axis: "median, and the longest",
        names: products
      },
      {
        file: "peers-memory",
        title: "Memory with tasks in flight, all processes",
        kind: "bars",
        pattern:
          /^(?<series>fleet|prefect\.defaults|prefect\.fastest|airflow\.defaults|airflow\.fastest)\.inFlight\.(?<at>\d+)\.memoryOfAll$/,
        axis: "tasks in flight",
        names: products
      }
    ]
  }
}
