import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Edit, Guard } from "./guards.ts"

const folders = ["libs", "services", "test", "package.json"]

/** Copies what the simulation needs from `root` into the empty folder `copy`, with the guard's edits made. */
export const copyWithout = ({ edits }: Guard, root: string, copy: string): void => {
  for (const each of folders) cpSync(join(root, each), join(copy, each), { recursive: true })
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
  for (const edit of edits) {
    const file = join(copy, edit.file)
    writeFileSync(file, edited(readFileSync(file, "utf8"), edit))
  }
}

/** The text with the edit made; throws where what is to be replaced does not stand there exactly once. */
export const edited = (text: string, { file, find, replace }: Edit): string => {
  const parts = text.split(find)
  if (parts.length !== 2) {
    throw new Error(
      `${file} has ${parts.length - 1} times, not once: ${find.trim()}; mend test/simulation/guards/guards.ts`
    )
  }
  return parts.join(replace)
}

/** The seed and the violation in the simulation's output; undefined = it found nothing. */
export const findingOf = (output: string): { readonly seed: number; readonly violation: string } | undefined => {
  const found = /^✗ seed (\d+): (.*)$/m.exec(output)
  return found === null ? undefined : { seed: Number(found[1]), violation: found[2] ?? "" }
}
