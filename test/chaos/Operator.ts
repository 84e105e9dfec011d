import { jetstreamManager } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import { Effect, type Scope } from "effect"
import { Durables, Streams } from "#ecs-core/Subjects.ts"

/** What the servers say about themselves, over a connection of its own. */
export interface Operator {
  /** Messages of each durable consumer that wait, or are in somebody's hands; none while the servers do not answer. */
  readonly backlog: Effect.Effect<ReadonlyMap<string, number> | undefined>
  /** The name of the server that leads a stream; none during an election, and where there is no cluster. */
  readonly leader: (stream: string) => Effect.Effect<string | undefined>
}

const consumers = Object.values(Durables).map((durable) => ({
  durable,
  stream: durable === Durables.requests ? Streams.inbox : Streams.fleet
}))

export const connectOperator = (servers: ReadonlyArray<string>): Effect.Effect<Operator, never, Scope.Scope> =>
  Effect.gen(function* () {
    const connection = yield* Effect.acquireRelease(
      Effect.promise(() =>
        connect({ servers: [...servers], name: "operator", maxReconnectAttempts: -1, reconnectTimeWait: 200 })
      ),
      (connection) => Effect.promise(() => connection.close())
    )
    const admin = yield* Effect.promise(() => jetstreamManager(connection, { checkAPI: false, timeout: 10_000 }))
    const pendingOf = async ({ stream, durable }: (typeof consumers)[number]) => {
      const { num_ack_pending, num_pending } = await admin.consumers.info(stream, durable)
      return [durable, num_ack_pending + num_pending] as const
    }
    const leaderOf = async (stream: string) => (await admin.streams.info(stream)).cluster?.leader
    return {
      backlog: answered(async () => new Map(await Promise.all(consumers.map(pendingOf)))),
      leader: (stream) => answered(() => leaderOf(stream))
    } satisfies Operator
  })

const answered = <A>(ask: () => Promise<A>): Effect.Effect<A | undefined> =>
  Effect.orElseSucceed(Effect.tryPromise(ask), () => undefined)

/** `launcher 3, watcher 12`, or `none`. */
export const showBacklog = (backlog: ReadonlyMap<string, number> | undefined): string =>
  [...(backlog ?? [["unknown", 1] as const])]
    .flatMap(([durable, count]) => (count === 0 ? [] : [`${durable} ${count}`]))
    .join(", ") || "none"
