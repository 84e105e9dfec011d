import type { LaunchedTask } from "./Journal.ts"

/** How many tasks of one family there were at a time. */
export interface FamilyPeak {
  readonly family: string
  /** Tasks ever launched. */
  readonly launched: number
  /** Tasks that are not STOPPED now. */
  readonly running: number
  /** The most that were not STOPPED at a time, and when that was first so, epoch milliseconds. */
  readonly most: number
  readonly mostAt: number
}

type Span = Pick<LaunchedTask, "taskDefinitionArn" | "createdAt" | "endedAt">

/** From the moments at which tasks were created and ended, so that nothing between two looks is missed. */
export const peaksOf = (tasks: ReadonlyArray<Span>): ReadonlyArray<FamilyPeak> =>
  [...Map.groupBy(tasks, ({ taskDefinitionArn }) => familyOf(taskDefinitionArn))].map(([family, all]) => ({
    family,
    launched: all.length,
    running: all.filter(({ endedAt }) => endedAt === undefined).length,
    ...mostOf(all)
  }))

/** `arn:…:task-definition/<family>:<revision>`. */
const familyOf = (arn: string): string => /task-definition\/([^:]+):/u.exec(arn)?.[1] ?? arn

/** Of two moments in the same millisecond the end counts first: what came before it is over. */
const mostOf = (tasks: ReadonlyArray<Span>): Pick<FamilyPeak, "most" | "mostAt"> => {
  const moments = tasks.flatMap(({ createdAt, endedAt }) => [
    { at: createdAt, step: 1 },
    ...(endedAt === undefined ? [] : [{ at: endedAt, step: -1 }])
  ])
  const inOrder = moments.toSorted((a, b) => a.at - b.at || a.step - b.step)
  let [now, most, mostAt] = [0, 0, 0]
  for (const { at, step } of inOrder) {
    now += step
    if (now > most) [most, mostAt] = [now, at]
  }
  return { most, mostAt }
}
