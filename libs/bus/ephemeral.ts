import { Effect, Random } from "effect"
import type { BusSettingsShape } from "./BusSettings.ts"
import { patiently } from "./patience.ts"
import type { WireError } from "./wire/Wire.ts"

/**
 * Creates a consumer for this process alone; its name. Each try has a name of its own: a cluster gives such a consumer
 * to one server, for minutes also to one that was killed, and asked for the same name again it points to that server.
 */
export const createEphemeral = (
  settings: BusSettingsShape,
  prefix: string,
  create: (name: string) => Effect.Effect<void, WireError>
): Effect.Effect<string, WireError> =>
  patiently(
    settings,
    Effect.gen(function* () {
      const name = `${prefix}-${(yield* Random.nextInt).toString(36).replace("-", "")}`
      yield* create(name)
      return name
    })
  )
