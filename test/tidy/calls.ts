import { codeOnly, withoutComments } from "#test/tidy/code.ts"
import { isTest, isTypeScript, matches, type Rule, type SourceFile } from "#test/tidy/Rule.ts"

const isPure = ({ path }: SourceFile): boolean => path.startsWith("libs/ecs-core/") || path.endsWith("/decide.ts")

/** Time is simulated in the one, and what the other is told: these sleeps are no waiting of a test. */
const isAboutTime = ({ path }: SourceFile): boolean => /^test\/(?:simulation|chaos)\//.test(path)

/** Tests wait for a fact, or drive the test's clock. */
export const testsWaitForFacts: Rule = {
  name: "tests wait for facts, never for time",
  check: (file) =>
    isTypeScript(file) && isTest(file) && !isAboutTime(file)
      ? matches(
          file,
          codeOnly(file.text),
          /\b(?:setTimeout|setInterval|Effect\.sleep|(?<!function )delay)\(/g,
          ([call]) => `${call}…) waits for time; wait for a line, a message or a closed socket, or drive TestClock`
        )
      : []
}

/** Time and chance come in as arguments in pure code, and from Effect's Clock and Random elsewhere. */
export const timeIsAnArgument: Rule = {
  name: "time and chance are arguments",
  check: (file) => {
    if (!isTypeScript(file) || isTest(file)) return []
    const advice = isPure(file) ? "pass it as an argument" : "use Effect's Clock or Random"
    const pattern = isPure(file)
      ? /\b(?:Date\.now\(|Math\.random\(|new Date\(\)|crypto\.randomUUID\(|randomUUID\()/g
      : /\b(?:Date\.now\(|Math\.random\()/g
    return matches(file, codeOnly(file.text), pattern, ([call]) => `${call} makes this depend on the moment; ${advice}`)
  }
}

/** A subject with its tokens. The bare words (`task.started`) are also the tags of messages, which the compiler checks; `<runId>` is for readers. */
const subjectPattern =
  /["'`](?:run\.(?:requested|cancel|queued|finished)|taskdef\.ready|task\.(?:stop|started|deferred|rejected|changed|stopped|[*>$])|logs|dead)\.?(?<=\.|[*>$])(?!<)[*>$\w{}.-]*/g

/** Names on the wire are built and parsed in one file. */
export const subjectsInOnePlace: Rule = {
  name: "subjects are built in one file",
  check: (file) =>
    !isTypeScript(file) ||
    isTest(file) ||
    file.path === "libs/ecs-core/Subjects.ts" ||
    file.path.startsWith("examples/")
      ? []
      : matches(
          file,
          withoutComments(file.text),
          subjectPattern,
          ([found]) => `${found} is a subject; build or parse it with #ecs-core/Subjects.ts`
        )
}

/** A focused test hides all others. */
export const noFocus: Rule = {
  name: "no test is focused",
  check: (file) =>
    isTypeScript(file)
      ? matches(
          file,
          codeOnly(file.text),
          /\b(?:(?:it|test|describe|suite|bench|layer)(?:\.\w+)*\.only|fit|fdescribe)\b/g,
          ([found]) => `${found} hides every other test; remove the focus`
        )
      : []
}

/** How far after the call the reason must stand: a title on the next line counts. */
const reasonWithin = 300
const skipPattern =
  /(?:\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:skip|skipIf|runIf|todo|fails)\b|\bx(?:it|describe|test)\()/g

/** A skip says, in the test's name, what it needs: `… (needs Docker)`. The name is what a run's end lists. */
export const skipsHaveReasons: Rule = {
  name: "every skip has a reason",
  check: (file) =>
    isTypeScript(file)
      ? matches(file, codeOnly(file.text), skipPattern, (match) => {
          const after = file.text.slice(match.index ?? 0, (match.index ?? 0) + reasonWithin)
          return /\(needs [^)]+\)/.test(after)
            ? undefined
            : `${match[0]} gives no reason; end the test's name with what it needs, e.g. «… (needs Docker)»`
        })
      : []
}

const machinePattern =
  /(?<![A-Za-z0-9_./-])\/(?:work|farm|root|Users|home\/(?!node\b)\w+)\/|\bhttps?:\/\/(?:registry|deb|security|pypi|proxy|files)\.[\w.-]+/g

/** Nothing in the repository depends on where somebody's machine keeps things, or on a registry's address. */
export const noMachinePaths: Rule = {
  name: "no paths of a machine, no registry hosts",
  check: (file) =>
    file.path === "package-lock.json"
      ? []
      : matches(
          file,
          file.text,
          machinePattern,
          ([found]) => `${found} is one machine's; use a relative path or a setting`
        )
}
