import { readFileSync } from "node:fs"
import { Effect, Option, Result } from "effect"
import { parse as parseYaml } from "yaml"
import { MESSAGE_BYTES_MAX } from "#ecs-core/FleetTopology.ts"
import { ExitCodes } from "./exitCode.ts"
import { type Failure, failure } from "./Failure.ts"
import type { RequestFlags } from "./requestFlags.ts"

/** A longer file could not be published: it is as much as a message holds. */
export const REQUEST_FILE_CHARACTERS_MAX = MESSAGE_BYTES_MAX

export type RequestBody = Readonly<Record<string, unknown>>

/**
 * The body of `run.requested`: the file's fields, with the flags' over them; objects (environment, labels, tags,
 * network, platform) are merged name by name. Whether the fields make sense is for the dispatcher to say.
 */
export const requestBody = (
  flags: RequestFlags,
  file: RequestBody,
  environment: Readonly<Record<string, string | undefined>>
): Result.Result<RequestBody, Failure> =>
  Result.gen(function* () {
    const { env, label, tag, arm64, subnet, securityGroup, publicIp, command, ...single } = flags
    const objects: Readonly<Record<string, RequestBody>> = {
      env: yield* pairs("--env", env, environment),
      labels: yield* pairs("--label", label, {}),
      tags: yield* pairs("--tag", tag, {}),
      runtimePlatform: arm64 ? { cpuArchitecture: "ARM64" } : {},
      networkConfiguration: networkOf(subnet, securityGroup, publicIp)
    }
    return {
      ...file,
      ...given(single),
      ...(command.length === 0 ? {} : { command }),
      ...mergedInto(file, objects)
    }
  })

const networkOf = (
  subnets: ReadonlyArray<string>,
  securityGroups: ReadonlyArray<string>,
  publicIp: boolean
): RequestBody => ({
  ...(subnets.length === 0 ? {} : { subnets }),
  ...(securityGroups.length === 0 ? {} : { securityGroups }),
  ...(publicIp ? { assignPublicIp: "ENABLED" } : {})
})

const given = (flags: Readonly<Record<string, Option.Option<unknown>>>): RequestBody =>
  Object.fromEntries(
    Object.entries(flags).flatMap(([field, value]) => (Option.isSome(value) ? [[field, value.value]] : []))
  )

const isMap = (value: unknown): value is RequestBody =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The objects of which the flags say anything, over those of the file. */
const mergedInto = (file: RequestBody, objects: Readonly<Record<string, RequestBody>>): RequestBody =>
  Object.fromEntries(
    Object.entries(objects).flatMap(([field, above]) => {
      const below = file[field]
      return Object.keys(above).length === 0 ? [] : [[field, { ...(isMap(below) ? below : {}), ...above }]]
    })
  )

/** `NAME=VALUE`; a bare `NAME` takes the value from the caller's environment, as `docker run --env` does. */
const pairs = (
  flag: string,
  given: ReadonlyArray<string>,
  environment: Readonly<Record<string, string | undefined>>
): Result.Result<Readonly<Record<string, string>>, Failure> =>
  Result.gen(function* () {
    const found: Record<string, string> = {}
    for (const pair of given) {
      const at = pair.indexOf("=")
      const name = at < 0 ? pair : pair.slice(0, at)
      const value = at < 0 ? environment[name] : pair.slice(at + 1)
      if (name === "" || value === undefined) return yield* Result.fail(badPair(flag, pair, name))
      found[name] = value
    }
    return found
  })

const badPair = (flag: string, pair: string, name: string): Failure =>
  name === "" || flag !== "--env"
    ? failure(`${flag} takes NAME=VALUE, got "${pair}".`, ExitCodes.usage)
    : failure(
        `--env ${name}: there is no variable ${name} to take the value from. Give ${flag} ${name}=VALUE.`,
        ExitCodes.usage
      )

/** The fields of a request file; `-` is standard input. */
export const readRequestFile = Effect.fnUntraced(function* (path: string) {
  const content = yield* Effect.try({
    try: () => readFileSync(path === "-" ? 0 : path, "utf8"),
    catch: (cause) => failure(`${path} cannot be read: ${firstLine(cause)}`, ExitCodes.usage)
  })
  if (content.length > REQUEST_FILE_CHARACTERS_MAX) {
    return yield* failure(`${path} is larger than a request may be (256 KiB).`, ExitCodes.usage)
  }
  return yield* Effect.fromResult(parseRequestFile(path, content))
})

/** Reads a request file: JSON or YAML, which contains JSON. */
export const parseRequestFile = (path: string, content: string): Result.Result<RequestBody, Failure> =>
  Result.try({
    try: () => (path.endsWith(".json") ? (JSON.parse(content) as unknown) : (parseYaml(content) as unknown)),
    catch: (cause) => failure(`${path} cannot be read: ${firstLine(cause)}`, ExitCodes.usage)
  }).pipe(
    Result.flatMap((value) =>
      isMap(value)
        ? Result.succeed(value)
        : Result.fail(failure(`${path} must hold one object of fields, e.g. image: alpine`, ExitCodes.usage))
    )
  )

const firstLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split("\n")[0] ?? ""
