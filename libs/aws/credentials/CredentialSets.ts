import { readFile } from "node:fs/promises"
import { Context, Deferred, Effect, Layer, Result, Schedule } from "effect"
import { LineCounter, parseDocument } from "yaml"
import { AwsConfig, AwsConfigInvalid } from "#aws/AwsConfig.ts"
import { ambient, type CredentialSet, contentOf, DEFAULT_SET } from "./CredentialSet.ts"
import { readSets, type Sets } from "./readSets.ts"

/**
 * The sets of credentials that this process knows. They come from a file, never through NATS, and the file is read again
 * while the process runs: a key that is rotated there is used without a restart. A file that has become wrong changes
 * nothing, and `/ready` says so. A set is a value whose identity counts: a new object under the same name means that its
 * credentials have to be looked up anew.
 */
export class CredentialSets extends Context.Service<
  CredentialSets,
  {
    /** The set of that name, absent = `default`; undefined = it is not known here. */
    readonly find: (name: string | undefined) => CredentialSet | undefined
    readonly names: () => ReadonlyArray<string>
    /** Whoever has credentials of this set looks them up again: a profile or a role may have others by now. */
    readonly renew: (name: string | undefined) => Effect.Effect<void>
    /** Waits until the file brings something new. */
    readonly nextChange: Effect.Effect<void>
    /** `ok`, or what is wrong with the file as it is now. */
    readonly status: Effect.Effect<string>
  }
>()("aws/CredentialSets") {
  /** From the file that the settings name; without one there is only `default`. */
  static readonly layer = Layer.effect(
    CredentialSets,
    Effect.gen(function* () {
      const { credentialsFile: path, credentialsCheckSeconds } = yield* AwsConfig
      if (path === undefined) return serviceOf(makeState(new Map()))
      const text = yield* Effect.mapError(textOf(path), (problem) => invalid(path, [problem]))
      const sets = yield* Effect.mapError(Effect.fromResult(parseSets(text)), (problems) => invalid(path, problems))
      const state = makeState(sets, text)
      const look = Effect.suspend(() => lookAgain(state, path))
      yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(`${credentialsCheckSeconds} seconds`)))
      return serviceOf(state)
    })
  )

  /** These sets, and `default`; they never change by themselves. */
  static readonly layerMemory = (...sets: ReadonlyArray<CredentialSet>) =>
    Layer.sync(CredentialSets, () => serviceOf(makeState(new Map(sets.map((set) => [set.name, set])))))
}

interface State {
  sets: Map<string, CredentialSet>
  /** The file as it was read last. */
  text: string
  status: string
  changed: Deferred.Deferred<void>
}

const makeState = (sets: Sets, text = ""): State => ({
  sets: new Map([[DEFAULT_SET, ambient()], ...sets]),
  text,
  status: "ok",
  changed: Deferred.makeUnsafe()
})

const serviceOf = (state: State): CredentialSets["Service"] => ({
  find: (name = DEFAULT_SET) => state.sets.get(name),
  names: () => [...state.sets.keys()],
  renew: (name = DEFAULT_SET) =>
    Effect.sync(() => {
      const set = state.sets.get(name)
      if (set !== undefined) state.sets.set(name, { ...set })
    }),
  nextChange: Effect.suspend(() => Deferred.await(state.changed)),
  status: Effect.sync(() => state.status)
})

const lookAgain = (state: State, path: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    const text = yield* Effect.result(textOf(path))
    if (Result.isFailure(text)) return yield* keepOld(state, path, [text.failure])
    if (text.success === state.text) return
    state.text = text.success
    const read = parseSets(text.success)
    if (Result.isFailure(read)) return yield* keepOld(state, path, read.failure)
    const before = state.sets
    state.sets = withSame(before, read.success)
    state.status = "ok"
    const names = changedNames(before, state.sets)
    if (names.length === 0) return
    yield* Effect.logInfo("sets of credentials changed", { sets: names })
    const { changed } = state
    state.changed = Deferred.makeUnsafe()
    yield* Deferred.succeed(changed, undefined)
  })

const keepOld = (state: State, path: string, problems: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const status = `${path} is not used as it is now: ${problems.join(" ")}`
    if (status === state.status) return Effect.void
    state.status = status
    return Effect.logError("the file of the sets of credentials is wrong; those that were read before stay", {
      path,
      problems
    })
  })

/** Sets that are what they were stay the same objects. */
const withSame = (before: Sets, after: Sets): Map<string, CredentialSet> =>
  new Map(
    [...after].map(([name, set]) => {
      const known = before.get(name)
      return [name, known !== undefined && contentOf(known) === contentOf(set) ? known : set]
    })
  )

const changedNames = (before: Sets, after: Sets): ReadonlyArray<string> =>
  [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name))

const textOf = (path: string): Effect.Effect<string, string> =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: (error) =>
      `It cannot be read (${error instanceof Error && "code" in error ? String(error.code) : "unknown"}).`
  })

/** The parser's own messages may quote the file: of a mistake in the YAML only kind and place are told. */
const parseSets = (text: string): Result.Result<Sets, ReadonlyArray<string>> => {
  const lines = new LineCounter()
  const { errors, contents } = parseDocument(text, { prettyErrors: false, lineCounter: lines })
  if (errors.length > 0) {
    return Result.fail(errors.map(({ code, pos }) => `Line ${lines.linePos(pos[0]).line} is no YAML (${code}).`))
  }
  return readSets(contents === null ? {} : contents.toJSON(), process.env)
}

const invalid = (path: string, problems: ReadonlyArray<string>) =>
  new AwsConfigInvalid({
    message: [`FLEET_AWS_CREDENTIALS_FILE: ${path} needs attention:`, ...problems.map((each) => `  ${each}`)].join("\n")
  })
