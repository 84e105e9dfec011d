import { withoutComments } from "#test/tidy/code.ts"
import { isTest, isTypeScript, matches, type Rule, type SourceFile } from "#test/tidy/Rule.ts"

const importPattern = /\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g

/** A sentence against an import, or nothing. `from` is the importing file. */
type Judge = (from: SourceFile, path: string) => string | undefined

const startsWithAny = (path: string, prefixes: ReadonlyArray<string>): string | undefined =>
  prefixes.find((prefix) => path.startsWith(prefix))

/** What production code in a folder may not import, and why. The first matching row of a folder decides. */
const forbidden = [
  {
    folder: "libs/ecs-core/",
    prefixes: ["#aws/", "#bus/", "#process/"],
    why: "the domain is pure: pass what it needs as an argument"
  },
  {
    folder: "libs/bus/",
    prefixes: ["#ecs-core/", "#aws/", "#process/"],
    why: "the bus knows no run: take names and codecs as arguments"
  },
  {
    folder: "libs/aws/",
    prefixes: ["#bus/"],
    why: "libs/aws knows no NATS: return the answer, let the service publish it"
  },
  {
    folder: "libs/",
    prefixes: ["#services/", "#cli/", "#test/"],
    why: "libraries never know who uses them: move the shared part into libs/"
  }
]

const direction: Judge = (from, path) => {
  for (const { folder, prefixes, why } of forbidden) {
    if (from.path.startsWith(folder) && startsWithAny(path, prefixes) !== undefined) {
      return `${folder} must not import ${path}; ${why}`
    }
  }
  return undefined
}

const domainIsPure: Judge = (from, path) => {
  if (!from.path.startsWith("libs/ecs-core/")) return undefined
  if (path === "effect" || path === "shlex" || path.startsWith("#ecs-core/") || path.startsWith("./")) return undefined
  if (path === "node:crypto" && from.path === "libs/ecs-core/Digest.ts") return undefined
  const advice = path === "node:crypto" ? "hash through #ecs-core/Digest.ts" : "it may import effect and shlex only"
  return `libs/ecs-core is the pure domain and must not import ${path}; ${advice}`
}

const servicesApart: Judge = (from, path) => {
  const own = /^services\/([^/]+)\//.exec(from.path)?.[1]
  const other = /^#services\/([^/]+)\//.exec(path)?.[1]
  return own === undefined || other === undefined || own === other
    ? undefined
    : `service ${own} must not import service ${other}; services share messages only, shared code belongs in libs/`
}

/** Benchmarks are never shipped either, and may start the tests' servers. */
const shipsNoTests: Judge = (from, path) =>
  path.startsWith("#test/") && !from.path.startsWith("bench/")
    ? `code that ships must not import ${path}; move what it needs out of test/`
    : undefined

const staysInside: Judge = (_, path) =>
  /(^|\/)\.\.(\/|$)/.test(path) ? `${path} climbs out of its folder; use the # alias from package.json` : undefined

const productionJudges: ReadonlyArray<Judge> = [direction, domainIsPure, servicesApart, shipsNoTests, staysInside]
const testJudges: ReadonlyArray<Judge> = [staysInside]

/** Imports go one way: services → libs → ecs-core; nothing that ships knows the tests. */
export const importDirection: Rule = {
  name: "imports go one way",
  check: (file) => {
    if (!isTypeScript(file)) return []
    const judges = isTest(file) ? testJudges : productionJudges
    return matches(file, withoutComments(file.text), importPattern, ([, path = ""]) =>
      judges.map((judge) => judge(file, path)).find((said) => said !== undefined)
    )
  }
}
