import { ConfigProvider, Effect, Result } from "effect"
import { runTimeoutSecondsMax } from "#ecs-core/FleetTopology.ts"
import type { Json } from "#ecs-core/Json.ts"
import { DEFAULT_POOL } from "#ecs-core/Pool.ts"
import { readAll } from "#process/ConfigReport.ts"
import { dispatcherConfig } from "#services/dispatcher/config.ts"
import { awsBodies } from "./awsBodies.ts"
import { connected } from "./connected.ts"
import { ExitCodes } from "./exitCode.ts"
import { Ended } from "./Failure.ts"
import { localPool, readPool } from "./local/pool.ts"
import { Output } from "./Output.ts"
import { problemsText } from "./render/problem.ts"
import type { RequestBody } from "./request.ts"

/** A dry run does not need NATS, so it does not wait long for it. */
const CONNECT_SECONDS = 1

/** Shows what would be sent to AWS for a request, or why it would be refused; starts nothing. */
export const showDryRun = Effect.fnUntraced(function* (body: RequestBody, runId: string) {
  const { out, err, errStyle } = yield* Output
  const { pool, note } = yield* poolOf(body)
  const { region, streamAgeSeconds } = yield* readAll(dispatcherConfig, ConfigProvider.fromEnv())
  const context = { pool, region, runId, runTimeoutSecondsMax: runTimeoutSecondsMax(streamAgeSeconds) }
  const result = awsBodies(body, context)
  if (Result.isFailure(result)) {
    yield* err(`${errStyle.red("✗ would be rejected")}\n${problemsText(errStyle, result.failure, runId)}`)
    yield* err("dry run: nothing started\n")
    return yield* new Ended({ exitCode: ExitCodes.notRun })
  }
  yield* out(`${JSON.stringify(result.success.bodies, undefined, 2)}\n`)
  for (const line of [...note, ...result.success.notes]) yield* err(`${errStyle.dim(`· ${line}`)}\n`)
  yield* err("dry run: nothing started\n")
})

interface PoolFound {
  readonly pool: Json | undefined
  readonly note: ReadonlyArray<string>
}

/** The request's pool from its bucket; where NATS does not answer, the pool that `fleet up` would create. */
const poolOf = (body: RequestBody) => {
  const name = typeof body["pool"] === "string" ? body["pool"] : DEFAULT_POOL
  const found = Effect.map(readPool(name), (pool): PoolFound => ({ pool, note: [] }))
  return connected(found, { connectSeconds: CONNECT_SECONDS }).pipe(
    Effect.catchTag("Failure", (error) =>
      error.exitCode === ExitCodes.unavailable && name === DEFAULT_POOL ? Effect.succeed(poolOfUp) : Effect.fail(error)
    )
  )
}

const poolOfUp: PoolFound = {
  pool: localPool,
  note: ["NATS does not answer: the pool is the one that `fleet up` creates."]
}
