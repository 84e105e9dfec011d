import { Effect, Random } from "effect"

/** All chance of one seed. Draws are made in the order of the simulation, so the same seed draws the same. */
export interface Dice {
  readonly random: typeof Random.Random.Service
  /** True with this probability. */
  readonly chance: (probability: number) => boolean
  /** A whole number from `minimum` to `maximum`, both included. */
  readonly whole: (minimum: number, maximum: number) => number
  /** Small numbers mostly, large ones now and then: evenly spread over the orders of magnitude. */
  readonly spread: (minimum: number, maximum: number) => number
  readonly pick: <A>(choices: readonly [A, ...ReadonlyArray<A>]) => A
}

export const diceOf = (seed: number): Dice => {
  const random = Effect.runSync(Random.withSeed(Effect.service(Random.Random), `seed ${seed}`))
  const next = () => random.nextDoubleUnsafe()
  return {
    random,
    chance: (probability) => next() < probability,
    whole: (minimum, maximum) => minimum + Math.floor(next() * (maximum - minimum + 1)),
    spread: (minimum, maximum) => minimum * (maximum / minimum) ** next(),
    pick: (choices) => choices[Math.floor(next() * choices.length)] ?? choices[0]
  }
}
