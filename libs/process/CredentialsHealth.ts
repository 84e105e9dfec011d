import { Effect } from "effect"
import { CredentialSets } from "#aws/credentials/CredentialSets.ts"
import { Gate, pauseText } from "#aws/gate/Gate.ts"
import { registerWhereServed } from "#process/Health.ts"

/** `/ready` says which sets of credentials pause, since when and why, and what is wrong with their file. */
export const watchCredentials = Effect.gen(function* () {
  const [gate, sets] = [yield* Gate, yield* CredentialSets]
  const paused = Effect.map(gate.pauses, (pauses) =>
    pauses.length === 0 ? "ok" : `paused: ${pauses.map(pauseText).join("; ")}`
  )
  yield* registerWhereServed({ name: "aws credentials", check: paused })
  yield* registerWhereServed({ name: "aws credentials file", check: sets.status })
})
