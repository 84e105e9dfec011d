import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type Diagnosis, diagnose, type EndedTask } from "#ecs-core/Diagnosis.ts"
import { Problem } from "#ecs-core/errors.ts"
import { StopCodes, stopReason } from "#ecs-core/StopReason.ts"

const main = (exitCode?: number, reason?: string) => ({ name: "main", exitCode, reason })
const ended = (task: Partial<EndedTask>): EndedTask => ({
  stopCode: "EssentialContainerExited",
  stoppedReason: "Essential container in task exited",
  containers: [main(0)],
  ...task
})
const summary = ({ outcome, exitCode, phase, problem }: Diagnosis) => ({
  outcome,
  exitCode,
  phase,
  code: problem?.code
})
const expected = (outcome: string, code?: string, exitCode?: number, phase?: string) => ({
  outcome,
  exitCode,
  phase,
  code
})

describe("the program's own end", () => {
  it.each([
    { exitCode: 0, code: undefined, outcome: "succeeded", says: "" },
    { exitCode: 1, code: "ProgramFailed", outcome: "failed", says: "exit code 1" },
    { exitCode: 126, code: "ProgramFailed", outcome: "failed", says: "not executable" },
    { exitCode: 127, code: "ProgramFailed", outcome: "failed", says: "not found" },
    { exitCode: 137, code: "ProgramFailed", outcome: "failed", says: "may have run out of memory" },
    { exitCode: 139, code: "ProgramFailed", outcome: "failed", says: "segmentation fault" },
    { exitCode: 143, code: "ProgramFailed", outcome: "failed", says: "terminated" },
    { exitCode: 255, code: "ProgramFailed", outcome: "failed", says: "exit code 255" }
  ])("exit code $exitCode is $outcome (peers 96, 100)", ({ exitCode, code, outcome, says }) => {
    const diagnosis = diagnose(ended({ containers: [main(exitCode)] }), "main")
    assert.deepStrictEqual(summary(diagnosis), expected(outcome, code, exitCode))
    assert.include(`${diagnosis.problem?.message} ${diagnosis.problem?.advice}`, says)
  })

  it("out of memory is told from other kills by the container's reason (peers 100)", () => {
    const containers = [main(137, "OutOfMemoryError: Container killed due to memory usage")]
    const diagnosis = diagnose(ended({ containers }), "main")
    assert.deepStrictEqual(summary(diagnosis), expected("failed", "OutOfMemory", 137))
    assert.include(diagnosis.problem?.advice, "memory")
  })

  it("a sidecar's exit code does not count (peers 94, scenario 53)", () => {
    const containers = [{ name: "sidecar", exitCode: 1 }, main(0)]
    assert.deepStrictEqual(summary(diagnose(ended({ containers }), "main")), expected("succeeded", undefined, 0))
  })

  it.each([
    { what: "no reason", task: { stoppedReason: undefined } },
    { what: "an unknown stop code", task: { stopCode: "SolarFlare" } },
    { what: "a stop code that is a property of every object", task: { stopCode: "toString" } },
    { what: "no stop code", task: { stopCode: undefined } },
    { what: "no stop code and no reason", task: { stopCode: undefined, stoppedReason: undefined } }
  ])("$what does not hide the exit code (peers 91)", ({ task }) => {
    assert.deepStrictEqual(
      summary(diagnose(ended({ ...task, containers: [main(3)] }), "main")),
      expected("failed", "ProgramFailed", 3)
    )
  })

  it.each(Object.values(StopCodes))("a program that ended before our %s keeps its own result", (code) => {
    const task = ended({ stoppedReason: stopReason(code, "late"), containers: [main(0)] })
    assert.deepStrictEqual(summary(diagnose(task, "main")), expected("succeeded", undefined, 0))
    const failed = ended({ stoppedReason: stopReason(code, "late"), containers: [main(3)] })
    assert.deepStrictEqual(summary(diagnose(failed, "main")), expected("failed", "ProgramFailed", 3))
  })

  it.each([0, 3])("our stop after the run's own container had ended leaves it exit code %i", (exitCode) => {
    const task = ended({
      stopCode: "UserInitiated",
      stoppedReason: stopReason(StopCodes.containerExited),
      containers: [main(exitCode), { name: "sidecar", exitCode: 137 }]
    })
    assert.strictEqual(diagnose(task, "main").exitCode, exitCode)
    assert.strictEqual(diagnose(task, "main").outcome, exitCode === 0 ? "succeeded" : "failed")
  })
})

describe("our own stops", () => {
  it.each([
    { code: StopCodes.cancelled, outcome: "cancelled", error: "Cancelled", phase: undefined },
    { code: StopCodes.provisioningTimeout, outcome: "timed_out", error: "StartTimeout", phase: "start" },
    { code: StopCodes.startTimeout, outcome: "timed_out", error: "StartTimeout", phase: "start" },
    { code: StopCodes.runTimeout, outcome: "timed_out", error: "RunTimeout", phase: "run" }
  ])("$code is $outcome, with or without an exit code or a stop code (peers 91)", ({ code, outcome, error, phase }) => {
    for (const stopCode of ["UserInitiated", undefined]) {
      const task = { stopCode, stoppedReason: stopReason(code, "why") }
      assert.deepStrictEqual(
        summary(diagnose(ended({ ...task, containers: [main(143)] }), "main")),
        expected(outcome, error, 143, phase)
      )
      assert.deepStrictEqual(
        summary(diagnose(ended({ ...task, containers: [main()] }), "main")),
        expected(outcome, error, undefined, phase)
      )
      assert.deepStrictEqual(
        summary(diagnose(ended({ ...task, containers: [] }), "main")),
        expected(outcome, error, undefined, phase)
      )
    }
  })

  it.each([
    { code: StopCodes.provisioningTimeout, says: "Timed out after 1800 s in PROVISIONING", advises: "provisioningT" },
    {
      code: StopCodes.startTimeout,
      says: "Timed out after 1800 s while watching task for status",
      advises: "taskStart"
    },
    { code: StopCodes.runTimeout, says: "ran longer than allowed (1800 s)", advises: "runTimeoutSeconds" }
  ])("$code says after how many seconds, and which setting that was (peers 89)", ({ advises, code, says }) => {
    const task = ended({ stopCode: "UserInitiated", stoppedReason: stopReason(code, "1800 s"), containers: [] })
    const { passing, problem } = diagnose(task, "main")
    assert.include(problem?.message, says)
    assert.include(problem?.advice, advises)
    assert.isUndefined(passing)
  })

  it("a cancel carries the reason that the user gave", () => {
    const task = ended({ stopCode: "UserInitiated", stoppedReason: stopReason(StopCodes.cancelled, "superseded") })
    assert.strictEqual(diagnose(task, "main").problem?.message, "The run was cancelled: superseded.")
  })
})

describe("stops by ECS and by others", () => {
  it.each([
    { stopCode: "SpotInterruption", code: "SpotInterrupted" },
    { stopCode: "TerminationNotice", code: "HostTerminated" },
    { stopCode: "InfrastructureHealth", code: "HostTerminated" },
    { stopCode: "ServiceSchedulerInitiated", code: "HostTerminated" }
  ])("$stopCode crashes the run: $code", ({ stopCode, code }) => {
    for (const containers of [[main(143)], [main()], []]) {
      const diagnosis = diagnose(ended({ stopCode, stoppedReason: "by the platform", containers }), "main")
      assert.deepStrictEqual(
        { outcome: diagnosis.outcome, code: diagnosis.problem?.code },
        { outcome: "crashed", code }
      )
      assert.include(diagnosis.problem?.message, "by the platform")
    }
  })

  it.each([
    { containers: [main(143)], exitCode: 143 },
    { containers: [], exitCode: undefined }
  ])("a stop by somebody else is a cancel, exit code $exitCode", ({ containers, exitCode }) => {
    const task = ended({ stopCode: "UserInitiated", stoppedReason: "Task stopped by user", containers })
    const diagnosis = diagnose(task, "main")
    assert.deepStrictEqual(summary(diagnosis), expected("cancelled", "StoppedExternally", exitCode))
    assert.include(diagnosis.problem?.message, "Task stopped by user")
  })
})

describe("tasks that never ran", () => {
  it("one that waited for another container in vain did not end with the agent's exit code", () => {
    const reason =
      "CannotStartContainerError: dependency graph: container ordering dependency [init(x) (STOPPED->RUNNING)]"
    const task = ended({ stopCode: "EssentialContainerExited", containers: [main(143, reason)] })
    const diagnosis = diagnose(task, "main")
    assert.deepInclude(diagnosis, { outcome: "crashed" })
    assert.isUndefined(diagnosis.exitCode)
    assert.strictEqual(diagnosis.problem?.code, "TaskFailedToStart")
  })

  it.each([
    { reason: "CannotPullContainerError: pull image manifest has been retried 1 time(s)", code: "ImagePullFailed" },
    { reason: "CannotPullECRContainerError: AccessDeniedException", code: "ImagePullFailed" },
    { reason: 'CannotStartContainerError: exec: "nope": executable file not found in $PATH', code: "ProgramNotFound" },
    { reason: "CannotCreateContainerError: stat /run.sh: no such file or directory", code: "ProgramNotFound" },
    { reason: "RESOURCE:MEMORY", code: "NoCapacity" },
    { reason: "AGENT", code: "NoCapacity" },
    { reason: "EMPTY CAPACITY PROVIDER", code: "NoCapacity" },
    {
      reason: "ResourceInitializationError: failed to validate logger args: AccessDeniedException",
      code: "LoggerPermissionMissing"
    },
    {
      reason:
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.",
      code: "TaskFailedToStart"
    },
    {
      reason:
        "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException: User: x is not authorized to perform: secretsmanager:GetSecretValue",
      code: "AccessDenied"
    },
    { reason: "Timeout waiting for network interface provisioning to complete.", code: "TaskFailedToStart" },
    { reason: "ResourceInitializationError: unable to pull secrets", code: "TaskFailedToStart" }
  ])("$code from the container's reason or the task's: $reason (peers 99, 100, scenario 55)", ({ reason, code }) => {
    const byTask = ended({ stopCode: "TaskFailedToStart", stoppedReason: reason, containers: [] })
    const byContainer = ended({
      stopCode: "TaskFailedToStart",
      stoppedReason: "Task failed to start",
      containers: [main(undefined, reason)]
    })
    for (const task of [byTask, byContainer]) {
      const diagnosis = diagnose(task, "main")
      assert.deepStrictEqual(summary(diagnosis), expected("crashed", code))
      assert.strictEqual(diagnosis.problem?.message, `The task failed to start: ${reason}`)
    }
  })

  it("a log group that is missing is not taken for a permission that is", () => {
    const stoppedReason = "failed to validate logger args: The specified log group does not exist."
    const diagnosis = diagnose(ended({ stopCode: "TaskFailedToStart", stoppedReason, containers: [] }), "main")
    assert.match(diagnosis.problem?.advice ?? "", /^Create the log group, or let it be created/)
  })

  it("nothing said is still a failed start (peers 99)", () => {
    const diagnosis = diagnose({ stopCode: "TaskFailedToStart", containers: [] }, "main")
    assert.deepStrictEqual(summary(diagnosis), expected("crashed", "TaskFailedToStart"))
  })

  it("a failed pull comes first, whatever the stop code (peers 100, scenario 56)", () => {
    const containers = [main(undefined, "CannotPullContainerError: not found")]
    for (const stopCode of [undefined, "EssentialContainerExited", "TaskFailedToStart"]) {
      assert.strictEqual(diagnose(ended({ stopCode, containers }), "main").problem?.code, "ImagePullFailed")
    }
  })
})

describe("exit code missing", () => {
  it.each([
    { what: "the container has none", containers: [main(undefined, "DockerTimeoutError: no answer")] },
    { what: "the container is not there", containers: [{ name: "sidecar", exitCode: 0 }] },
    { what: "there is no container at all", containers: [] }
  ])("−1 and a message with the container's name when $what (peers 95, 97)", ({ containers }) => {
    const diagnosis = diagnose(ended({ containers }), "main")
    assert.deepStrictEqual(summary(diagnosis), expected("crashed", "ExitCodeMissing", -1))
    assert.include(diagnosis.problem?.message, 'Container "main" left no exit code')
  })

  it("also after our stop of a task whose container had ended", () => {
    const task = ended({ stopCode: "UserInitiated", stoppedReason: StopCodes.containerExited, containers: [main()] })
    assert.deepStrictEqual(summary(diagnose(task, "main")), expected("crashed", "ExitCodeMissing", -1))
  })
})

const Ended = Schema.Struct({
  stopCode: Schema.optionalKey(Schema.String),
  stoppedReason: Schema.optionalKey(Schema.String),
  containers: Schema.Array(
    Schema.Struct({
      name: Schema.Literals(["main", "sidecar"]),
      exitCode: Schema.optionalKey(Schema.Int),
      reason: Schema.optionalKey(Schema.String)
    })
  )
})

describe("diagnose", () => {
  it.prop("answers whatever ECS says, and everything but success says what to do next", [Ended], ([task]) => {
    const { outcome, problem } = diagnose(task, "main")
    assert.notStrictEqual(outcome, "rejected")
    if (outcome === "succeeded") assert.isUndefined(problem)
    else assert.isTrue(Schema.is(Problem)(problem) && problem.message !== "" && problem.advice !== "")
  })
})
