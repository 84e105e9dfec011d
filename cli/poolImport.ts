import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { isPoolName } from "#ecs-core/Ids.ts"
import { DEFAULT_POOL } from "#ecs-core/Pool.ts"
import { connected } from "./connected.ts"
import { ExitCodes } from "./exitCode.ts"
import { failure } from "./Failure.ts"
import { jsonFlag, option } from "./flags.ts"
import { Output } from "./Output.ts"
import { writePool } from "./poolBucket.ts"
import { assertValid, readPoolText, timeoutMax } from "./poolInput.ts"
import { importTemplate } from "./prefect/importTemplate.ts"
import { json } from "./present.ts"
import { leftText, poolYaml } from "./render/pool.ts"
import { printable } from "./render/text.ts"

export interface ImportFlags {
  readonly prefect: string
  readonly name: string
  readonly image: Option.Option<string>
  readonly set: boolean
  readonly json: boolean
}

export const importCommand = Command.make(
  "import",
  {
    prefect: Flag.String("prefect").pipe(
      Flag.withMetavar("base-job-template.json"),
      Flag.withDescription("Base job template of a work pool of Prefect's ECS worker; - is standard input")
    ),
    name: Flag.String("name").pipe(
      Flag.withDefault(DEFAULT_POOL),
      Flag.withDescription("Name of the pool that --set creates")
    ),
    image: Flag.String("image").pipe(Flag.optional, Flag.withDescription("Image of the pool, in the place of theirs")),
    set: option("set", "Store the pool too, as `fleet pool set` does"),
    json: jsonFlag
  },
  (flags) => (flags.set ? connected(importPool(flags, storePool)) : importPool(flags, () => Effect.void))
).pipe(
  Command.withDescription("Turn a work pool of Prefect into a pool: prints it, and what could not be carried over"),
  Command.withExamples([
    { command: "fleet pool import --prefect template.json > pool.yaml", description: "look at it first" },
    {
      command: "fleet pool import --prefect template.json --name flows --image flows:7 --set",
      description: "use it at once"
    }
  ])
)

/** Prints the pool, and what is left of the template; `store` gets the name and the fields. */
export const importPool = Effect.fnUntraced(function* <E, R>(
  flags: ImportFlags,
  store: (name: string, pool: Readonly<Record<string, unknown>>) => Effect.Effect<void, E, R>
) {
  const { out, err, errStyle } = yield* Output
  if (!isPoolName(flags.name)) return yield* failure(badName(flags.name), ExitCodes.usage)
  const template = yield* readPoolText(flags.prefect)
  const image = Option.getOrUndefined(flags.image)
  const imported = importTemplate(template, { image, runTimeoutSecondsMax: yield* timeoutMax })
  if (imported === undefined) return yield* failure(noTemplate(flags.prefect), ExitCodes.usage)
  const { left, pool } = imported
  yield* assertValid(`pool ${flags.name}`, pool)
  yield* out(flags.json ? json({ pool: flags.name, fields: pool, left }) : poolYaml(pool))
  if (!flags.json) yield* err(leftText(errStyle, left))
  yield* store(flags.name, pool)
})

const storePool = Effect.fnUntraced(function* (name: string, pool: Readonly<Record<string, unknown>>) {
  const { err } = yield* Output
  yield* err(`pool ${name} ${yield* writePool(name, pool)}\n`)
})

export const badName = (name: string): string =>
  `"${printable(name)}" cannot name a pool: 1 to 64 of the characters A-Z a-z 0-9 _ -.`

const noTemplate = (path: string): string =>
  `${path} is no base job template: it has no job_configuration. Get it with: prefect work-pool inspect <pool> --output json, member base_job_template`
