/**
 * Bytes of a program to the lines of its log, as Docker's awslogs driver cuts them: a line ends at `\n`, an empty line
 * is no event (CloudWatch Logs takes none), and a line longer than an event may be is split, never inside a character.
 */

/** Docker's awslogs driver: 256 KiB less the 26 bytes CloudWatch Logs counts for each event. */
export const lineBytesMax = 262_144 - 26

export interface Cut {
  readonly lines: ReadonlyArray<string>
  /** Bytes of the line that has not ended yet; always shorter than `lineBytesMax`. */
  readonly rest: Buffer
}

const newline = 0x0a
const empty: Buffer = Buffer.alloc(0)

const isInsideCharacter = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** Where to cut `bytes` so that at most `max` bytes are left of it and no UTF-8 character is torn. */
const cutAt = (bytes: Buffer, max: number): number => {
  let at = max
  while (at > max - 4 && at > 1 && isInsideCharacter(bytes[at])) at--
  return isInsideCharacter(bytes[at]) ? max : at
}

/** `line` without its newline, in pieces of at most `max` bytes; nothing for an empty line. */
const pieces = (line: Buffer, max: number): ReadonlyArray<string> => {
  if (line.length === 0) return []
  if (line.length <= max) return [line.toString("utf8")]
  const at = cutAt(line, max)
  return [line.toString("utf8", 0, at), ...pieces(line.subarray(at), max)]
}

/** Adds `chunk` to the unfinished line `rest`, and gives every line that is complete now. */
export const cut = (rest: Buffer, chunk: Buffer, max: number = lineBytesMax): Cut => {
  const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
  const lines: Array<string> = []
  let start = 0
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
    lines.push(...pieces(bytes.subarray(start, end), max))
    start = end + 1
  }
  while (bytes.length - start >= max + 4) {
    const at = start + cutAt(bytes.subarray(start), max)
    lines.push(bytes.toString("utf8", start, at))
    start = at
  }
  return { lines, rest: start === bytes.length ? empty : bytes.subarray(start) }
}

/** The last line of a program that ended without a newline. */
export const flush = (rest: Buffer, max: number = lineBytesMax): ReadonlyArray<string> => pieces(rest, max)

export const noBytes = empty
