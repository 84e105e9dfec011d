import { millisOf } from "#ecs-core/Instant.ts"
import { BATCH_BYTES_MAX, BATCH_LINES_MAX, type LogLine } from "#ecs-core/LogLine.ts"

/** Lines on their way to a batch. Each is made JSON once, since a loud run has thousands a second. */

/** A line, or a piece of a long one, as JSON. */
export interface Piece {
  readonly json: string
  /** Of `json`. */
  readonly bytes: number
  readonly container: string
  /** Epoch milliseconds. */
  readonly time: number
  /** It begins a line: counts those. */
  readonly isFirst: boolean
}

/** `time`: the line's, epoch milliseconds, where it is known. */
export const pieceOf = (line: LogLine, time = millisOf(line.time)): Piece => {
  const json = JSON.stringify(line)
  return {
    json,
    bytes: Buffer.byteLength(json),
    container: line.container,
    time,
    isFirst: line.part === undefined || line.part === 1
  }
}

/** Of a text as JSON, without measuring: two quotes, and at most six bytes a character. */
const bytesAtMost = (text: string): number => 2 + 6 * text.length

/** A line, in pieces whose text as JSON has at most `bytesMax` bytes each; characters stay whole. */
export const piecesOf = (
  line: Omit<LogLine, "text">,
  text: string,
  bytesMax: number,
  time?: number
): ReadonlyArray<Piece> => {
  if (bytesAtMost(text) <= bytesMax) return [pieceOf({ ...line, text }, time)]
  const texts = cut(text, bytesMax)
  if (texts.length === 1) return [pieceOf({ ...line, text }, time)]
  return texts.map((each, at) =>
    pieceOf({ ...line, text: each, part: at + 1, ...(at === texts.length - 1 ? { last: true } : {}) }, time)
  )
}

const cut = (text: string, bytesMax: number): ReadonlyArray<string> => {
  if (Buffer.byteLength(JSON.stringify(text)) <= bytesMax) return [text]
  const middle = Math.ceil(text.length / 2)
  const at = isLowSurrogate(text.charCodeAt(middle)) ? middle - 1 : middle
  return [...cut(text.slice(0, at), bytesMax), ...cut(text.slice(at), bytesMax)]
}

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff

/** In batches of at most 100 lines and 64 KiB. */
export const inBatches = (pieces: ReadonlyArray<Piece>): ReadonlyArray<ReadonlyArray<Piece>> => {
  const batches: Array<Array<Piece>> = []
  let bytes = 0
  for (const piece of pieces) {
    const last = batches.at(-1)
    const size = piece.bytes + 1
    if (last === undefined || last.length >= BATCH_LINES_MAX || bytes + size > BATCH_BYTES_MAX) {
      batches.push([piece])
      bytes = size
    } else {
      last.push(piece)
      bytes += size
    }
  }
  return batches
}
