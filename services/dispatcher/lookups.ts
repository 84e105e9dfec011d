import type { CapacityProviderStrategyItem, TaskDefinition } from "@aws-sdk/client-ecs"
import { Cache, Effect, Exit } from "effect"
import { Ecs } from "#aws/Ecs.ts"
import { Pace } from "#aws/Pace.ts"
import type { AwsFailure } from "#ecs-core/errors.ts"
import type { DispatcherSettings } from "./config.ts"
import type { Place } from "./register.ts"

/** What ECS said of things that others keep, remembered for a while: linked definitions and clusters. */
export interface Lookups {
  /** `ref`: family (latest ACTIVE revision), `family:revision` or ARN. An INACTIVE revision is answered too. */
  readonly taskDefinition: (place: Place, ref: string) => Effect.Effect<TaskDefinition, AwsFailure>
  /** What decides where a launch without launch type and strategy runs (peers 76); empty = nothing does. */
  readonly defaultStrategy: (place: Place, cluster: string) => Effect.Effect<Strategy, AwsFailure>
}

export type Strategy = ReadonlyArray<CapacityProviderStrategyItem>

/** A revision never changes but in its status; a family's latest one does whenever somebody registers another. */
export const isRevision = (ref: string): boolean => /:\d+$/u.test(ref)

export const makeLookups = (settings: DispatcherSettings): Effect.Effect<Lookups, never, Ecs | Pace> =>
  Effect.gen(function* () {
    const [ecs, pace] = [yield* Ecs, yield* Pace]
    const describe = (key: string) => {
      const { place, name } = partsOf(key)
      return pace.paced("readTaskDefinition", place)(ecs.describeTaskDefinition(place, name))
    }
    const definitions = yield* Cache.makeWith(describe, {
      capacity: settings.definitionsMax,
      timeToLive: (exit, key) =>
        seconds(exit, isRevision(partsOf(key).name) ? settings.definitionCheckSeconds : settings.familyCheckSeconds)
    })
    const ask = (key: string) => {
      const { place, name } = partsOf(key)
      return Effect.map(
        ecs.describeCluster(place, name),
        ({ defaultCapacityProviderStrategy = [] }): Strategy => defaultCapacityProviderStrategy
      )
    }
    const clusters = yield* Cache.makeWith(ask, {
      capacity: settings.definitionsMax,
      timeToLive: (exit) => seconds(exit, settings.clusterCheckSeconds)
    })
    return {
      taskDefinition: (place, ref) =>
        Effect.tap(Cache.get(definitions, keyOf(place, ref)), (found) =>
          // The order is made from the ARN that the record keeps: it is known already.
          found.taskDefinitionArn === undefined || isRevision(ref)
            ? Effect.void
            : Cache.set(definitions, keyOf(place, found.taskDefinitionArn), found)
        ),
      defaultStrategy: (place, cluster) => Cache.get(clusters, keyOf(place, cluster))
    }
  })

/** A failure is never remembered. */
const seconds = (exit: Exit.Exit<unknown, unknown>, many: number) =>
  Exit.isSuccess(exit) ? (`${many} seconds` as const) : 0

const keyOf = ({ credentials, region }: Place, name: string): string => `${credentials ?? ""} ${region} ${name}`

const partsOf = (key: string): { readonly place: Place; readonly name: string } => {
  const [credentials = "", region = "", ...name] = key.split(" ")
  return { place: { region, ...(credentials === "" ? {} : { credentials }) }, name: name.join(" ") }
}
