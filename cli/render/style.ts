/** Words in colour, or as they are where nobody sees colours. */
export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
  /** A text in the colour of a name, which is always the same: names are told apart by it at a glance. */
  readonly named: (name: string, text: string) => string
}

const sgr = (code: number) => (text: string) => `\u001B[${code}m${text}\u001B[0m`
const asIs = (text: string) => text

/** Cyan, yellow, green, magenta and blue, then the bright ones of them: red is for what went wrong. */
const NAME_COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94].map(sgr)

/** A colour that depends on every character of the name. */
const colourOf = (name: string) => {
  let hash = 0
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0
  return NAME_COLOURS[hash % NAME_COLOURS.length] ?? asIs
}

const coloured: Style = {
  bold: sgr(1),
  dim: sgr(2),
  red: sgr(31),
  green: sgr(32),
  yellow: sgr(33),
  cyan: sgr(36),
  named: (name, text) => colourOf(name)(text)
}

export const plain: Style = {
  bold: asIs,
  dim: asIs,
  red: asIs,
  green: asIs,
  yellow: asIs,
  cyan: asIs,
  named: (_, text) => text
}

export interface Sink {
  readonly isTerminal: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Colours go to terminals only, and not where `NO_COLOR` (any value, https://no-color.org) or `TERM=dumb` is set. */
export const styleFor = ({ isTerminal, env }: Sink): Style => {
  const noColor = env["NO_COLOR"]
  const unwanted = (noColor !== undefined && noColor !== "") || env["TERM"] === "dumb"
  return isTerminal && !unwanted ? coloured : plain
}
