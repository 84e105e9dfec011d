import type { RegisterTaskDefinitionCommandInput } from "@aws-sdk/client-ecs"
import { Effect, Random, Semaphore } from "effect"
import type { Ecs } from "#aws/Ecs.ts"
import { mutable } from "#aws/Mutable.ts"
import type { Pace } from "#aws/Pace.ts"
import type { AwsTarget } from "#aws/Target.ts"
import { AwsFailure } from "#ecs-core/errors.ts"
import type { TaskDefinitionInput } from "#ecs-core/PrepareDefinition.ts"
import { differences, equalDefinitions } from "#ecs-core/TaskDefinition.ts"

/** A region, and the set of credentials that is used there. */
export interface Place extends AwsTarget {
  readonly region: string
}

/** A definition that is wanted somewhere. */
export interface Wanted {
  readonly key: string
  readonly definition: TaskDefinitionInput
  readonly place: Place
  /** Reuse the family's latest revision where it is ACTIVE and equal (peers 41). */
  readonly match: boolean
  readonly autoDeregister: boolean
  /** Not this one: ECS called it inactive or unknown at a launch. */
  readonly notArn?: string
}

export interface Found {
  readonly arn: string
  readonly registered: boolean
}

export type EcsPort = Pick<
  typeof Ecs.Service,
  "registerTaskDefinition" | "describeTaskDefinition" | "deregisterTaskDefinition" | "describeCluster"
>

/** Registrations that may be under way at a time in one process; those of one family never are. */
const LINES = 64

/**
 * Registrations have a quota of one a second, and ECS refuses the second of two in one family: a process does not compete
 * with itself there.
 */
export const pacedEcs = (ecs: EcsPort, pace: typeof Pace.Service): EcsPort => {
  const lines = Array.from({ length: LINES }, () => Semaphore.makeUnsafe(1))
  const inLine = (family: string) => {
    const line = lines[lineOf(family)]
    return <A, E>(call: Effect.Effect<A, E>) => (line === undefined ? call : Semaphore.withPermit(line, call))
  }
  return {
    registerTaskDefinition: (target, input) => inLine(input.family ?? "")(registerPaced(ecs, pace, target, input)),
    describeTaskDefinition: (target, ref) =>
      pace.paced("readTaskDefinition", target)(ecs.describeTaskDefinition(target, ref)),
    deregisterTaskDefinition: (target, arn) =>
      pace.paced("modifyTaskDefinition", target)(ecs.deregisterTaskDefinition(target, arn)),
    describeCluster: ecs.describeCluster
  }
}

/** A family that is busy says nothing about the quota: the pace slows down for true throttles only. */
const registerPaced = (
  ecs: EcsPort,
  pace: typeof Pace.Service,
  target: AwsTarget,
  input: RegisterTaskDefinitionCommandInput
) =>
  Effect.andThen(pace.take("modifyTaskDefinition", target), ecs.registerTaskDefinition(target, input)).pipe(
    Effect.tapError((failure) =>
      failure.retry === "throttle" && failure.awsName !== "ClientException"
        ? pace.throttled("modifyTaskDefinition", target)
        : Effect.void
    )
  )

const lineOf = (family: string): number =>
  [...family].reduce((sum, each) => sum + (each.codePointAt(0) ?? 0), 0) % LINES

/** Waits between registrations: 1 s, doubling to 10 s, each longer or shorter by up to a fifth (peers 50). */
export const REGISTER_WAIT_FIRST_SECONDS = 1
export const REGISTER_WAIT_SECONDS_MAX = 10

/** The wait after the n-th try (n from 1); `chance` in 0..1. */
export const registerWaitMillis = (tryNumber: number, chance: number): number =>
  Math.round(
    1000 *
      Math.min(REGISTER_WAIT_FIRST_SECONDS * 2 ** Math.min(tryNumber - 1, 10), REGISTER_WAIT_SECONDS_MAX) *
      (0.8 + 0.4 * chance)
  )

/** The answer may be lost, and ECS may have registered it all the same. */
export const answerMayBeLost = (failure: AwsFailure): boolean => failure.retry === "transient"

/**
 * Registers a definition, at most `tries` times. Before each but the first try the family is compared: an earlier answer
 * may be lost, and of two who register one family at a time ECS refuses one, who then finds the other's (peers 51).
 */
export const obtain = (
  ecs: EcsPort,
  wanted: Wanted,
  context: { readonly compareFirst: boolean; readonly tries: number },
  tryNumber = 1
): Effect.Effect<Found, AwsFailure> => {
  const once = context.compareFirst || tryNumber > 1 ? adoptOrRegister(ecs, wanted) : register(ecs, wanted)
  return Effect.catchIf(
    once,
    (failure) => (failure.retry === "throttle" || answerMayBeLost(failure)) && tryNumber < context.tries,
    (failure) =>
      Effect.gen(function* () {
        const delayMillis = registerWaitMillis(tryNumber, yield* Random.next)
        const { family } = wanted.definition
        yield* Effect.logWarning("task definition not registered yet", {
          family,
          try: tryNumber,
          delayMillis,
          why: failure.message
        })
        yield* Effect.sleep(delayMillis)
        return yield* obtain(ecs, wanted, context, tryNumber + 1)
      })
  )
}

const adoptOrRegister = (ecs: EcsPort, wanted: Wanted): Effect.Effect<Found, AwsFailure> =>
  Effect.flatMap(usable(ecs, wanted, wanted.definition.family), (arn) =>
    arn === undefined ? register(ecs, wanted) : Effect.succeed({ arn, registered: false })
  )

/**
 * The ARN that `ref` stands for, if it is ACTIVE and equal (peers 38, 42). A failed look-up counts as a miss, save where
 * asking again is all that is needed.
 */
export const usable = (ecs: EcsPort, wanted: Wanted, ref: string): Effect.Effect<string | undefined, AwsFailure> =>
  ecs.describeTaskDefinition(wanted.place, ref).pipe(
    Effect.flatMap((found) => {
      const { taskDefinitionArn: arn, status } = found
      const isOther = arn === wanted.notArn || status !== "ACTIVE"
      if (!isOther && equalDefinitions(found, wanted.definition)) return Effect.succeed(arn)
      return Effect.as(
        Effect.logDebug("task definition is not reused", {
          taskDefinition: arn ?? ref,
          status,
          differences: differences(found, wanted.definition)
        }),
        undefined
      )
    }),
    Effect.catchIf(
      ({ retry }) => retry === "never" || retry === "inactive",
      (failure) => Effect.as(Effect.logDebug("task definition is not reused", { ref, why: failure.message }), undefined)
    )
  )

const register = (ecs: EcsPort, { definition, place }: Wanted): Effect.Effect<Found, AwsFailure> =>
  Effect.flatMap(ecs.registerTaskDefinition(place, inputOf(definition)), ({ taskDefinitionArn: arn }) =>
    arn === undefined ? noArn() : Effect.succeed({ arn, registered: true })
  )

/** What the definition holds beyond our own fields is the user's, in ECS's names. */
const inputOf = (definition: TaskDefinitionInput): RegisterTaskDefinitionCommandInput =>
  mutable(definition) as RegisterTaskDefinitionCommandInput

const noArn = () =>
  new AwsFailure({
    code: "AwsError",
    retry: "transient",
    action: "RegisterTaskDefinition",
    message: "RegisterTaskDefinition answered without an ARN.",
    advice: "It is tried again."
  })
