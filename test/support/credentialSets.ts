import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { Buckets } from "#bus/Bucket.ts"
import { type Pool, PoolCodec } from "#ecs-core/Pool.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"
import { inject } from "#test/support/LocalAws.ts"

/** A set of credentials of local-aws; its key can be rejected alone. */
export interface TeamKey {
  readonly set: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export const teamKey = (set: string): TeamKey => ({
  set,
  accessKeyId: `AKIA${set.replaceAll("-", "").toUpperCase()}`,
  secretAccessKey: `secret-of-${set}-0f1ee7`
})

/** A file with these sets, in a folder of its own. */
export const writeSets = (keys: ReadonlyArray<TeamKey>) => {
  const folder = mkdtempSync(join(tmpdir(), "ecs-fleet-sets-"))
  const path = join(folder, "sets.yaml")
  const sets = keys.map(({ set, ...key }) => [set, key])
  writeFileSync(path, JSON.stringify(Object.fromEntries(sets)))
  return { path, remove: () => rmSync(folder, { recursive: true }) }
}

/** Keeps a pool, as an operator would. */
export const keepPool = (name: string, pool: Pool) =>
  Effect.gen(function* () {
    yield* (yield* (yield* Buckets).open(BucketNames.pools)).put(name, PoolCodec.encode(pool))
  })

/** From now on AWS takes this key for expired, until the faults are cleared. */
export const expire = ({ accessKeyId }: TeamKey) =>
  inject({
    action: "*",
    accessKeyId,
    times: 0,
    error: { name: "ExpiredTokenException", message: "The security token included in the request is expired" }
  })
