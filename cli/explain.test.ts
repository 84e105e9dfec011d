import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { errorCodes, errorGuide } from "#ecs-core/ErrorGuide.ts"
import { ExitCodes } from "./exitCode.ts"
import { explainCode } from "./explain.ts"
import { Output } from "./Output.ts"
import { root } from "./root.ts"

const explained = (code: string | undefined, asJson = false) =>
  Effect.suspend(() => {
    const written = { out: "", err: "" }
    return explainCode(code, asJson).pipe(
      Effect.map(() => written.out),
      Effect.provide(Output.layerMemory(written))
    )
  })

const lines = (text: string): ReadonlyArray<string> => text.trimEnd().split("\n")

describe("fleet explain", () => {
  it.effect("says cause and cure, whatever the case of the code", () =>
    Effect.gen(function* () {
      const text = yield* explained("clusterNOTfound")
      assert.match(text, /^ClusterNotFound: The cluster does not exist in this region\n/)
      for (const part of ["\nCause\n", "\nWhat to do\n", "aws ecs list-clusters", "\nHow the run ends\n"]) {
        assert.include(text, part)
      }
      assert.strictEqual(yield* explained("ClusterNotFound"), text)
    })
  )

  it.effect.each([
    ["ClusterNotFond", "Did you mean ClusterNotFound? "],
    ["throtled", "Did you mean Throttled? "],
    ["zzzzzzzzzz", ""],
    ["run-17", ""]
  ])("%s is no code: says so, and which one was meant", ([given, hint]) =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(explained(given))
      assert.strictEqual(failure.message, `There is no error code "${given}". ${hint}All codes: fleet explain`)
      assert.strictEqual(failure.exitCode, ExitCodes.failed)
    })
  )

  it.effect("without a code lists them all, one a line, and says how to go on", () =>
    Effect.gen(function* () {
      const [header, ...rest] = lines(yield* explained(undefined))
      assert.match(header ?? "", /^CODE +MEANS$/)
      assert.deepStrictEqual(
        rest.slice(0, -2).map((line) => line.split(/ {2,}/)),
        errorCodes.map((code) => [code, errorGuide[code].title])
      )
      assert.strictEqual(rest.at(-1), "Cause and cure of one: fleet explain <code>")
    })
  )

  it.effect("for programs: one object a line, for one code or for all", () =>
    Effect.gen(function* () {
      const one = yield* explained("throttled", true)
      assert.deepStrictEqual(JSON.parse(one), { code: "Throttled", ...errorGuide.Throttled })
      const all = lines(yield* explained(undefined, true))
      assert.deepStrictEqual(
        all.map((line) => JSON.parse(line).code),
        [...errorCodes]
      )
      assert.include(all, one.trimEnd())
    })
  )
})

describe("the guide", () => {
  const texts = errorCodes.flatMap((code) => {
    const { cause, cure, retried } = errorGuide[code]
    return [cause, retried, ...cure].map((text) => ({ code, text }))
  })
  const commands = texts.flatMap(({ code, text }) =>
    [...text.matchAll(/`fleet ([a-z]+)[^`]*`/g)].map(([, name]) => ({ code, name }))
  )
  const known = root.subcommands.flatMap(({ commands }) => commands.map(({ name }) => name))

  it.each(commands)("of $code names a command that there is: fleet $name", ({ name }) => {
    assert.include(known, name)
  })
})
