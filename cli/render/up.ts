import type { Style } from "./style.ts"

const NAME_WIDTH = 12

/** One line of a component: `local-aws    http://127.0.0.1:4577  tasks run as processes of this machine`. */
export const componentLine = (
  style: Style,
  component: { readonly name: string; readonly where: string; readonly about: string }
): string => {
  const about = component.about === "" ? "" : `  ${style.dim(component.about)}`
  return `${style.green("✓")} ${component.name.padEnd(NAME_WIDTH)} ${component.where}${about}\n`
}

/** How this command was called, for examples that can be copied: npm's `npx` and `npm run` know no bare `fleet`. */
export const commandName = (env: Readonly<Record<string, string | undefined>>): string =>
  env["npm_command"] === undefined ? "fleet" : "npx fleet"

export const readyText = (style: Style, env: Readonly<Record<string, string | undefined>>): string =>
  `${style.bold("ready")}, Ctrl-C stops everything. In another terminal:\n\n  ${commandName(env)} run -- sh -c 'echo hello; exit 3'\n\n`
