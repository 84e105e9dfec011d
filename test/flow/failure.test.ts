import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Codecs } from "#ecs-core/Messages.ts"
import { Subjects } from "#ecs-core/Subjects.ts"
import { layerFleet } from "#test/support/EmbeddedFleet.ts"
import { all } from "#test/support/follow.ts"
import { finished, output, request } from "#test/support/runs.ts"

/** What is told of a run whose program failed, for whoever has to find out why. */

const least = { image: "local/shell", executionRoleArn: "arn:aws:iam::000000000000:role/execution" }

layer(layerFleet, { excludeTestServices: true })("a failure", (it) => {
  it.effect("tells stop code, reason, each container's exit code and the last lines (scenario 57, 76)", () =>
    Effect.gen(function* () {
      const program = "for i in 1 2 3; do echo line $i; done; exit 3"
      const runId = yield* request({ ...least, command: ["sh", "-c", program] })
      assert.deepInclude(yield* finished(runId), { outcome: "failed", exitCode: 3 })
      const [stopped] = yield* all(Subjects.taskStopped(runId, 1), Codecs.taskStopped)
      assert.deepInclude(stopped, { stopCode: "EssentialContainerExited", exitCode: 3 })
      assert.include(stopped?.stoppedReason, "Essential container in task exited")
      assert.deepStrictEqual(
        stopped?.containers.map(({ exitCode }) => exitCode),
        [3]
      )
      const { end } = yield* output(runId)
      assert.deepInclude(end, { outcome: "failed", exitCode: 3 })
      assert.deepStrictEqual(
        end.tail?.map(({ text }) => text),
        ["line 1", "line 2", "line 3"]
      )
    })
  )
})
