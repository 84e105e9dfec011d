import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { classify, classifyFailures } from "#aws/AwsError.ts"
import type { Example } from "#aws/AwsErrorFacts.ts"
import { rows } from "#aws/AwsErrorRows.ts"
import { failureRows } from "#aws/AwsFailureRows.ts"
import { errorGuide, retryGuide } from "#ecs-core/ErrorGuide.ts"
import type { AwsFailure, ErrorCode } from "#ecs-core/errors.ts"

/** Writes `errors.md` beside this folder, or into the folder given, from the tables that the services decide by. */
const [, , given] = process.argv
const folder = given ?? join(import.meta.dirname, "..")

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")
const row = (...cells: ReadonlyArray<string>): string => `| ${cells.map(cell).join(" | ")} |`
const header = (...cells: ReadonlyArray<string>): ReadonlyArray<string> => [
  row(...cells),
  row(...cells.map(() => "---"))
]

const linkTo = (code: ErrorCode): string => `[${code}](#${code.toLowerCase()})`

const decided = ({ code, retry, advice }: AwsFailure): ReadonlyArray<string> => [linkTo(code), `\`${retry}\``, advice]

const exceptionOf = ({ name, systemCode, status }: Example): string => {
  if (name !== "") return `\`${name}\`${status === undefined || status === 400 ? "" : ` (HTTP ${status})`}`
  return systemCode === undefined ? "none" : `\`${systemCode}\``
}

const classes = [
  "## Classes of retries",
  "",
  ...header("class", "what the fleet does"),
  ...Object.entries(retryGuide).map(([retry, what]) => row(`\`${retry}\``, what))
]

const failureOf = ({ action, name, text, systemCode, status }: Example): AwsFailure =>
  classify(action, { name, message: text, code: systemCode, $metadata: { httpStatusCode: status } })

const exceptions = [
  "## When a call of AWS fails",
  "",
  "The first row that fits decides. Each shows one example in AWS's own words; a row knows more names and texts than that.",
  "",
  ...header("call", "exception", "AWS says", "code", "class", "advice"),
  ...rows.map(({ example }) => row(example.action, exceptionOf(example), example.text, ...decided(failureOf(example))))
]

const failures = [
  "## When RunTask answers with `failures[]`",
  "",
  "All reasons are kept in the problem's `reasons`. Where ECS gives several, one of class `capacity` decides, since an instance that is merely full may have room later.",
  "",
  ...header("reason", "code", "class", "advice"),
  ...failureRows.map(({ example }) => row(`\`${example.reason}\``, ...decided(classifyFailures([example])))),
  row("neither a task nor a failure", ...decided(classifyFailures([])))
]

const guideOf = ([code, guide]: readonly [string, (typeof errorGuide)[ErrorCode]]): ReadonlyArray<string> => [
  `### ${code}`,
  "",
  `${guide.title}. ${guide.cause}`,
  "",
  ...guide.cure.map((step, index) => `${index + 1}. ${step}`),
  "",
  `Tried again: ${guide.retried}${guide.ends === "" ? "" : ` The run ends as ${guide.ends}.`}`,
  ""
]

const codes = [
  "## Codes",
  "",
  ...Object.entries(errorGuide)
    .toSorted(([a], [b]) => a.localeCompare(b, "en"))
    .flatMap(guideOf)
]

const page = [
  "# Errors",
  "",
  "<!-- Generated: node docs/errors/generate.ts -->",
  "",
  "A run that does not succeed ends with a problem: a `code` for programs, a `message` that says what happened, an `advice` that says what to do next. `fleet explain <code>` shows cause and cure of a code.",
  "",
  ...classes,
  "",
  ...exceptions,
  "",
  ...failures,
  "",
  ...codes
]

writeFileSync(join(folder, "errors.md"), `${page.join("\n").trimEnd()}\n`)
