import { Context, Effect, Layer } from "effect"
import { Ecs } from "#aws/Ecs.ts"
import { AwsFailure } from "#ecs-core/errors.ts"

type Action = "registerTaskDefinition" | "describeTaskDefinition" | "deregisterTaskDefinition" | "describeCluster"

interface Scripted {
  readonly answer: Effect.Effect<never, AwsFailure>
  /** ECS does what was asked all the same, and only the answer is lost. */
  readonly carriedOut: boolean
}

/** Others come to run so often while a registration is under way. */
const TURNS = 2

/** What all replicas of a test ask of ECS, counted, and answered with failures where the test says so. */
export class EcsCalls extends Context.Service<
  EcsCalls,
  {
    readonly count: (action: Action) => number
    /** The next calls of an action fail, in this order. */
    readonly fail: (
      action: Action,
      failures: ReadonlyArray<AwsFailure>,
      options?: { readonly carriedOut: boolean }
    ) => Effect.Effect<void>
    /** The next call of an action gets no answer, and is not carried out. */
    readonly silence: (action: Action) => Effect.Effect<void>
  }
>()("test/EcsCalls") {
  /** Stands before the ECS of the fleet around it. A registration takes some turns, and is the only one of its family. */
  static readonly layer = Layer.effectContext(
    Effect.map(Ecs, (ecs) => {
      const counts = new Map<Action, number>()
      const scripts = new Map<Action, Array<Scripted>>()
      const registering = new Set<string>()
      const count = (action: Action) => counts.get(action) ?? 0
      const seen = <A>(action: Action, call: Effect.Effect<A, AwsFailure>): Effect.Effect<A, AwsFailure> =>
        Effect.suspend(() => {
          counts.set(action, count(action) + 1)
          const script = scripts.get(action)?.shift()
          if (script === undefined) return call
          return script.carriedOut ? Effect.andThen(call, script.answer) : script.answer
        })
      const alone = <A>(family: string, call: Effect.Effect<A, AwsFailure>): Effect.Effect<A, AwsFailure> =>
        Effect.suspend(() => {
          if (registering.has(family)) return Effect.fail(tooManyAttempts)
          registering.add(family)
          return Effect.ensuring(
            Effect.andThen(Effect.repeat(Effect.yieldNow, { times: TURNS }), call),
            Effect.sync(() => registering.delete(family))
          )
        })
      const watched = Ecs.of({
        ...ecs,
        registerTaskDefinition: (target, input) =>
          alone(input.family ?? "", seen("registerTaskDefinition", ecs.registerTaskDefinition(target, input))),
        describeTaskDefinition: (target, ref) =>
          seen("describeTaskDefinition", ecs.describeTaskDefinition(target, ref)),
        deregisterTaskDefinition: (target, arn) =>
          seen("deregisterTaskDefinition", ecs.deregisterTaskDefinition(target, arn)),
        describeCluster: (target, cluster) => seen("describeCluster", ecs.describeCluster(target, cluster))
      })
      const next = (action: Action, script: ReadonlyArray<Scripted>) =>
        Effect.sync(() => {
          scripts.set(action, [...(scripts.get(action) ?? []), ...script])
        })
      const calls = EcsCalls.of({
        count,
        fail: (action, failures, { carriedOut } = { carriedOut: false }) =>
          next(
            action,
            failures.map((failure) => ({ answer: Effect.fail(failure), carriedOut }))
          ),
        silence: (action) => next(action, [{ answer: Effect.never, carriedOut: false }])
      })
      return Context.make(Ecs, watched).pipe(Context.add(EcsCalls, calls))
    })
  )
}

/** What ECS says to the second of two that register one family at a time. */
export const tooManyAttempts = new AwsFailure({
  code: "Throttled",
  retry: "throttle",
  action: "RegisterTaskDefinition",
  awsName: "ClientException",
  message: "Too many concurrent attempts to create a new revision of the specified family.",
  advice: "The family is looked at again."
})
