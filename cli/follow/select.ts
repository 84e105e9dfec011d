import { millisOf } from "#ecs-core/Instant.ts"
import { type LogEnd, NOTICE_CONTAINER } from "#ecs-core/LogLine.ts"

/** Whose lines are asked for: the orchestration container's and the fleet's own notices, everybody's, or one container's. */
export type Containers =
  | { readonly kind: "own" }
  | { readonly kind: "all" }
  | { readonly kind: "one"; readonly name: string }

/**
 * Whether a line of this container is asked for. `orchestration` is the name of its attempt's orchestration container;
 * undefined where nobody knows it any more, and then nothing is held back.
 */
export const isOfContainers = (
  containers: Containers,
  container: string,
  orchestration: string | undefined
): boolean => {
  switch (containers.kind) {
    case "all":
      return true
    case "one":
      return container === containers.name
    case "own":
      return orchestration === undefined || container === orchestration || container === NOTICE_CONTAINER
  }
}

/** What a line must be like. */
export interface Wanted {
  /** Epoch milliseconds: not older than this. */
  readonly sinceMillis?: number
  /** Its text matches. Without the flags `g` and `y`, which would make a match depend on the one before. */
  readonly pattern?: RegExp
}

export const isWanted = (
  { sinceMillis, pattern }: Wanted,
  line: { readonly time: string; readonly text: string }
): boolean =>
  (sinceMillis === undefined || millisOf(line.time) >= sinceMillis) &&
  (pattern === undefined || pattern.test(line.text))

/** CloudWatch takes lines dated up to two hours ahead, and clocks differ. */
const AHEAD_SECONDS_MAX = 2 * 3600 + 300

/**
 * From when on messages have to be read for lines since then: lines are stored after they were written, unless their
 * host's clock is fast.
 */
export const storedSince = (sinceMillis: number): number => Math.max(0, sinceMillis - AHEAD_SECONDS_MAX * 1000)

/** Containers whose lines could not be read to their end; also `complete: false` alone means that lines may be missing. */
export const isCut = ({ complete, containers }: LogEnd["end"]): boolean =>
  !complete || containers.some(({ drained }) => drained === "cut")
