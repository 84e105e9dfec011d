import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"
import { claimsIn } from "./claims.ts"
import { page, type Section } from "./Page.ts"

/** Writes `docs/parity.md`, or the file given, from the names of all tests and the texts beside this file. */
const [, , given] = process.argv
const root = join(import.meta.dirname, "../../..")

const sectionsOf = (name: string): ReadonlyArray<Section> =>
  parse(readFileSync(join(import.meta.dirname, name), "utf8")) as ReadonlyArray<Section>

const tests = ["ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.test.ts", "*.suite.ts"]
const claims = execFileSync("git", tests, { cwd: root, encoding: "utf8" })
  .split("\0")
  .filter((path) => path !== "" && !path.startsWith("test/docker/") && !path.startsWith("test/parity/page/"))
  .filter((path) => existsSync(join(root, path)))
  .toSorted()
  .flatMap((path) => claimsIn({ path, text: readFileSync(join(root, path), "utf8") }))

writeFileSync(
  given ?? join(root, "docs/parity.md"),
  page(sectionsOf("statements.yaml"), sectionsOf("scenarios.yaml"), claims)
)
