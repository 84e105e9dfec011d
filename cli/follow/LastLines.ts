import type { WholeLine } from "./join.ts"

/** `--tail` takes at most so many lines. */
export const TAIL_LINES_MAX = 100_000

/** What is kept for `--tail` has at most so many characters; of longer last lines there are fewer. */
export const TAIL_CHARACTERS_MAX = 64 * 1024 * 1024

/** The last lines of those that were added, within limits of lines and of characters. */
export class LastLines {
  private lines: Array<WholeLine> = []
  /** Those before it are dropped; they go when they are as many as the rest. */
  private first = 0
  private characters = 0
  private isOver = false
  private readonly linesMax: number
  private readonly charactersMax: number

  constructor(linesMax: number, charactersMax = TAIL_CHARACTERS_MAX) {
    this.linesMax = linesMax
    this.charactersMax = charactersMax
  }

  add(lines: ReadonlyArray<WholeLine>): void {
    for (const line of lines) {
      this.lines.push(line)
      this.characters += line.text.length
      while (this.count > this.linesMax) this.drop()
      while (this.characters > this.charactersMax) {
        this.isOver = true
        this.drop()
      }
    }
  }

  /** The lines, which are then no longer kept; `areFewer`: more were asked for, and their characters did not fit. */
  take(): { readonly lines: ReadonlyArray<WholeLine>; readonly areFewer: boolean } {
    const taken = { lines: this.lines.slice(this.first), areFewer: this.isOver && this.count < this.linesMax }
    this.lines = []
    this.first = 0
    this.characters = 0
    this.isOver = false
    return taken
  }

  private get count(): number {
    return this.lines.length - this.first
  }

  private drop(): void {
    this.characters -= this.lines[this.first]?.text.length ?? 0
    this.first++
    if (this.first < this.count) return
    this.lines.splice(0, this.first)
    this.first = 0
  }
}
