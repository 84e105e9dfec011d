import type { Clock } from "effect"
import type { Dice } from "./Dice.ts"
import type { Weather } from "./Weather.ts"
import type { Witness } from "./Witness.ts"

/** What all fleets of one simulated seed share. */
export interface Surroundings {
  readonly dice: Dice
  readonly clock: Clock.Clock
  /** Epoch milliseconds of the simulation. */
  readonly now: () => number
  readonly startedAt: number
  readonly sky: {
    /** Becomes `calm` when the stories are told. */
    weather: Weather
  }
}

/** One fleet's part of it. */
export interface World extends Surroundings {
  readonly weather: Weather
  readonly witness: Witness
}

export const worldOf = (surroundings: Surroundings, witness: Witness): World => ({
  ...surroundings,
  witness,
  get weather() {
    return surroundings.sky.weather
  }
})
