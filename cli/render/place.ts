import type { QueuePlace } from "#ecs-core/QueuePlace.ts"
import { printable } from "./text.ts"

/** `position 3 of 12 in pool gpu; the pool is paused: deployment`. */
export const placeText = ({ of, paused, pool, position }: QueuePlace): string => {
  const where = position === undefined ? `in pool ${pool}` : `position ${position} of ${of ?? position} in pool ${pool}`
  return paused === undefined ? where : `${where}; the pool is paused${because(paused.reason)}`
}

/** `12 ahead`, `next`; nothing while it is not known. */
export const aheadText = ({ paused, position }: QueuePlace): string => {
  const ahead = position === undefined ? "" : position === 1 ? ", next" : `, ${position - 1} ahead`
  return paused === undefined ? ahead : `${ahead}, the pool is paused${because(paused.reason)}`
}

const because = (reason: string | undefined): string => (reason === undefined ? "" : `: ${printable(reason)}`)
