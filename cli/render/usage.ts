import type { CliError } from "effect/cli"

/** What does not fit on a command line, and where to look; flags of the program to run are the usual reason. */
export const usageText = (
  commandPath: ReadonlyArray<string>,
  errors: ReadonlyArray<Pick<CliError.CliError, "_tag" | "message">>
): string => {
  const command = commandPath.join(" ")
  const forProgram = commandPath.at(-1) === "run" && errors.some(({ _tag }) => _tag === "UnrecognizedOption")
  return [
    ...errors.map(({ message }) => message),
    ...(forProgram ? ["Is it meant for the program? Put that after --: fleet run -- program --flag"] : []),
    `Try: ${command} --help`
  ]
    .map((line) => `${line}\n`)
    .join("")
}
