import { codeOnly } from "#test/tidy/code.ts"
import { isMarkdown, isTypeScript, matches, type Rule, type SourceFile, type Violation } from "#test/tidy/Rule.ts"

/** Words that say nothing, or the wrong thing, with what to write. Compared with each word of a name. */
const nameless = "name it for what it does"
const bannedWords: ReadonlyMap<string, string> = new Map([
  ["util", nameless],
  ["utils", nameless],
  ["helper", nameless],
  ["helpers", nameless],
  ["manager", "name the thing it keeps, or the verb"],
  ["common", nameless],
  ["misc", nameless],
  ["live", "a layer is `layer`, `layerMemory` or `layerTest`; of time say `real`"]
])

/** One spelling, and no words of another service: what AWS Batch defines is not what ECS defines. */
const bannedPhrases = [
  { pattern: /\bcancel(?:ed|ing|er)\b/gi, message: "one spelling, with two l: cancelled, cancelling" },
  {
    pattern: /\bjob[ _-]?definitions?\b/gi,
    message: "say `request` for what a producer sends, `task definition` for the one of ECS"
  }
]

/** `runTimeoutSeconds` → `run`, `timeout`, `seconds`. */
export const wordsOf = (name: string): ReadonlyArray<string> =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "")
    .map((word) => word.toLowerCase())

const bannedIn = (name: string, banned = bannedWords): string | undefined => {
  const words = wordsOf(name)
  const found = words.find(
    (word, index) => banned.has(word) && (word !== "live" || (index > 0 && index === words.length - 1))
  )
  return found === undefined ? undefined : `«${name}» has the word «${found}»: ${banned.get(found)}`
}

/** Units as they must not stand at a name's end; those that are spelt out are wrong only after `In`. */
const shortUnits: ReadonlyMap<string, string> = new Map([
  ["Ms", "Millis"],
  ["MS", "Millis"],
  ["Msec", "Millis"],
  ["Sec", "Seconds"],
  ["Secs", "Seconds"],
  ["Mins", "Minutes"],
  ["Hrs", "Hours"]
])
const unitPattern = new RegExp(
  `^(.*?[a-z0-9])(?:(?:In|_)?(${[...shortUnits.keys()].join("|")})|In(Millis|Seconds|Minutes|Hours|Days|Bytes))$`
)

/** Units stand last and spelt out: `timeoutMillis`, `ackWaitSeconds`. */
export const unitProblem = (name: string): string | undefined => {
  const [, rest, short, long] = unitPattern.exec(name) ?? []
  if (rest === undefined) return undefined
  return `«${name}»: units stand last and are spelt out, e.g. ${rest}${long ?? shortUnits.get(short ?? "")}`
}

/** What a name is given to: declarations, and keys of objects and types. Imported names are other people's. */
const declaredPattern =
  /\b(?:const|let|function|class|interface|type)\s+([A-Za-z_$][\w$]*)|(?<![?.] *)(?<![\w$])([A-Za-z_$][\w$]*)\??:(?!:)/g

const withoutImports = (code: string): string =>
  code.replace(/^import\b[^;]*?\bfrom\b/gm, (statement) => statement.replace(/[^\n]/g, " "))

const namesInCode = (file: SourceFile): ReadonlyArray<Violation> =>
  matches(file, withoutImports(codeOnly(file.text)), declaredPattern, ([, declared, key]) => {
    const name = declared ?? key ?? ""
    return (declared === undefined ? undefined : bannedIn(name)) ?? unitProblem(name)
  })

const nameOfFile = (file: SourceFile): ReadonlyArray<Violation> => {
  const found = file.path
    .split("/")
    .map((part) => bannedIn(part.replace(/(\.test)?\.\w+$/, "")))
    .find((said) => said !== undefined)
  return found === undefined ? [] : [{ path: file.path, line: 1, message: found }]
}

const phrases = (file: SourceFile): ReadonlyArray<Violation> =>
  bannedPhrases.flatMap(({ pattern, message }) =>
    matches(file, file.text, pattern, ([found]) => `«${found}»: ${message}`)
  )

/** Names in files, folders and code use the field's words, and no empty ones. */
export const names: Rule = {
  name: "names say what they mean",
  check: (file) => [
    ...nameOfFile(file),
    ...(isTypeScript(file) ? namesInCode(file) : []),
    ...(isTypeScript(file) || isMarkdown(file) ? phrases(file) : [])
  ]
}
