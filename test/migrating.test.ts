/**
 * The examples of two pages as they would run: pool and request are resolved, what is shown as sent to ECS is compared
 * member by member. The word after `json` says what a block is; blocks of one title belong together, and what comes
 * after a second `request` belongs to that one.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parse as parseYaml } from "yaml"
import { definitionProblems } from "#ecs-core/DefinitionProblems.ts"
import { RunId } from "#ecs-core/Ids.ts"
import type { Job } from "#ecs-core/Job.ts"
import { isJson, type Json } from "#ecs-core/Json.ts"
import { linkDefinition } from "#ecs-core/LinkedDefinition.ts"
import { poolProblems } from "#ecs-core/PoolProblems.ts"
import { poolFor } from "#ecs-core/PoolVariables.ts"
import { prepareTaskDefinition } from "#ecs-core/PrepareDefinition.ts"
import { decodeRequest } from "#ecs-core/RequestProblems.ts"
import { resolveJob } from "#ecs-core/ResolveJob.ts"
import { overridesProblem, runTaskInput } from "#ecs-core/RunTaskInput.ts"

const KINDS = ["pool", "request", "registered", "RegisterTaskDefinition", "RunTask", "theirs"] as const
type BlockKind = (typeof KINDS)[number]

interface Block {
  readonly title: string
  readonly language: string
  readonly kind: string
  readonly text: string
}

const blocksOf = (page: string): ReadonlyArray<Block> => {
  const text = readFileSync(join(process.cwd(), page), "utf8")
  return text.split(/^#+ /m).flatMap((section) =>
    [...section.matchAll(/^```(\w+) ?(\w*)\n(.*?)^```$/gms)].map(([, language = "", kind = "", content = ""]) => ({
      title: `${page}: ${section.split("\n")[0] ?? ""}`,
      language,
      kind,
      text: content
    }))
  )
}

type Example = { readonly title: string } & { readonly [K in BlockKind]?: Json }

const blocks = ["docs/requests.md", "docs/migrating.md"].flatMap(blocksOf)

/** An example ends where the next one begins: with another title, or with a pool, request or definition again. */
const examples = blocks
  .filter(({ language, kind }) => language === "json" && kind !== "theirs")
  .reduce<ReadonlyArray<Example>>((all, { title, kind, text }) => {
    const last = all.at(-1)
    const value = JSON.parse(text) as Json
    return last === undefined || last.title !== title || kind in last
      ? [...all, { title, [kind]: value }]
      : [...all.slice(0, -1), { ...last, [kind]: value }]
  }, [])

const REGION = "eu-central-1"

const jobOf = ({ pool, request }: Example): Job => {
  const resolved = Result.flatMap(decodeRequest(request), (body) => {
    const filled = pool === undefined ? Result.succeed(undefined) : poolFor(pool, body)
    return Result.flatMap(filled, (found) => resolveJob(body, found, 86_400))
  })
  assert.isTrue(Result.isSuccess(resolved), JSON.stringify(resolved))
  return Result.getOrThrow(resolved)
}

/** What is launched, for the run `nightly-1`, by the definition prepared or linked. */
const launched = (example: Example) => {
  const job = jobOf(example)
  const linked = example.registered === undefined ? undefined : linkDefinition(job, example.registered)
  const { definition, containerName } = linked ?? prepareTaskDefinition(job, job.region ?? REGION)
  const problems = linked?.problems ?? definitionProblems(job, definition, containerName)
  const family = example.registered?.["family"] ?? Reflect.get(definition, "family")
  const runTask = runTaskInput(job, {
    runId: RunId.make("nightly-1"),
    attempt: 1,
    taskDefinitionArn: job.linkedDefinition ?? `${String(family)}:1`,
    definition,
    containerName
  })
  return { definition, problems, notices: [...job.notices, ...(linked?.notices ?? [])], runTask }
}

describe("examples of docs/requests.md and docs/migrating.md", () => {
  it.each(blocks)("$title: a block of $language says what it is and can be read", ({ language, kind, text }) => {
    if (language === "ini") return
    assert.include(KINDS, kind)
    assert.isTrue(isJson(language === "yaml" ? parseYaml(text) : JSON.parse(text)))
  })

  it("are there, each with a request, and one of each kind at least", () => {
    assert.isAtLeast(examples.length, 6)
    for (const example of examples) assert.property(example, "request", example.title)
    for (const kind of KINDS)
      assert.isTrue(
        blocks.some((block) => block.kind === kind),
        kind
      )
  })

  it.each(examples)("$title: is accepted, and ECS would accept what is sent", (example) => {
    const { problems, runTask } = launched(example)
    assert.deepStrictEqual(problems, [])
    assert.isUndefined(overridesProblem(runTask))
  })

  it.each(examples.filter((example) => example.RegisterTaskDefinition !== undefined))(
    "$title: registers what is shown",
    (example) => {
      assert.isUndefined(jobOf(example).linkedDefinition)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(launched(example).definition)), example.RegisterTaskDefinition)
    }
  )

  it.each(examples.filter((example) => example.RunTask !== undefined))("$title: launches what is shown", (example) => {
    assert.deepStrictEqual(JSON.parse(JSON.stringify(launched(example).runTask)), example.RunTask)
  })

  it.each(examples.filter((example) => example.registered !== undefined))(
    "$title: uses the linked definition as it is",
    (example) => {
      assert.isDefined(jobOf(example).linkedDefinition)
      assert.strictEqual(launched(example).definition, example.registered)
    }
  )

  it.each(blocks.filter(({ kind }) => kind === "pool"))(
    "$title: its pool is one that `fleet pool set` takes",
    ({ text }) => {
      assert.deepStrictEqual(poolProblems(parseYaml(text), 86_400), [])
    }
  )

  it("a linked definition beside an image: the notice names it", () => {
    const example = examples.find(
      ({ request, registered }) => registered !== undefined && request?.["image"] !== undefined
    )
    assert.isDefined(example)
    assert.match(launched(example).notices.join("\n"), /\bimage\b/)
  })
})
