/** One promise's guard in the code, and what is left of the code without it. */
export interface Guard {
  readonly name: string
  /** What goes wrong in a fleet that lacks it. */
  readonly without: string
  readonly edits: readonly [Edit, ...ReadonlyArray<Edit>]
}

/** `find` stands exactly once in the file. */
export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

const launch = "services/launcher/launch.ts"
const runTaskInput = "libs/ecs-core/RunTaskInput.ts"

/** The guards that exactly-once rests on. */
export const guards: ReadonlyArray<Guard> = [
  {
    name: "token",
    without: "RunTask, called again after a lost answer, launches another task",
    edits: [
      {
        file: launch,
        find: "  clientToken: clientToken(fleet.fleetId, order.runId, order.attempt, tryNumber),\n",
        replace: ""
      }
    ]
  },
  {
    name: "fleet id",
    without: "two fleets in one account take each other's tasks for theirs",
    edits: [
      {
        file: runTaskInput,
        find: 'digest("run-task", fleetId, runId, String(attempt), String(tryNumber))',
        replace: 'digest("run-task", runId, String(attempt), String(tryNumber))'
      },
      {
        file: runTaskInput,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
        find: "`${fleetId}/${runId}/${attempt}`",
        replace: "`fleet/${runId}/${attempt}`"
      }
    ]
  },
  {
    name: "version guard",
    without: "an answer of ECS that is older than the last one sets a task back",
    edits: [
      {
        file: "services/watcher/decide.ts",
        find: "  if (task.version < before.version) return { watched: { ...before, missingSince: undefined }, actions: [] }\n",
        replace: ""
      },
      {
        file: "libs/ecs-core/AttemptFacts.ts",
        find: "  const isOld = known.taskVersion !== undefined && known.taskVersion >= fact.version\n",
        replace: "  const isOld = false\n"
      }
    ]
  },
  {
    name: "record check before RunTask",
    without: "what was cancelled, or is over, is launched",
    edits: [
      {
        file: "services/launcher/decide.ts",
        find: 'evidence.isRejected ? "the attempt was rejected" : isMoot(order, run)',
        replace: "undefined"
      },
      {
        file: "services/launcher/decide.ts",
        find: "  if (cancel !== undefined) return cancelledBeforeLaunch(order, cancel.reason, nowMillis)\n",
        replace: ""
      }
    ]
  },
  {
    name: "record before publish",
    without: "an order is out that no record knows of",
    edits: [
      {
        file: "services/dispatcher/define.ts",
        find: '    return yield* foldInto(fleet.runs, run.runId, { kind: "taskdef.ready", ...made.success }, run)',
        replace: [
          "    yield* fleet.publisher.createOnce({",
          "      stream: Streams.fleet,",
          "      subject: Subjects.taskdefReady(run.runId, attempt.attempt),",
          "      data: Codecs.taskdefReady.encode(made.success.message)",
          "    })",
          '    return yield* foldInto(fleet.runs, run.runId, { kind: "taskdef.ready", ...made.success }, run)'
        ].join("\n")
      },
      {
        file: "services/dispatcher/define.ts",
        find: 'import { Subjects } from "#ecs-core/Subjects.ts"',
        replace: 'import { Streams, Subjects } from "#ecs-core/Subjects.ts"'
      }
    ]
  },
  {
    name: "expected sequence",
    without: "what exists once is stored as often as somebody publishes it",
    edits: [{ file: "libs/bus/publishing.ts", find: "    expectedLastSequence: expected\n", replace: "" }]
  }
]
