import { Schema } from "effect"
import type { AwsTarget } from "#aws/Target.ts"
import { codec } from "#ecs-core/Codec.ts"
import { Instant, millisOf } from "#ecs-core/Instant.ts"

/** The set of credentials that the definition is registered with; absent = `default`. */
const account = { credentials: Schema.optionalKey(Schema.String) }

/**
 * An entry of the shared cache `fleet-taskdefs`, under the hash of its normalised definition. Every step from one state
 * to another is a compare-and-set, and nothing that an entry's owner may still change is deleted, so that two replicas
 * never both believe that they are the one.
 */
export const Entry = Schema.Union([
  /** Somebody registers it; `since` is renewed as long as they live. */
  Schema.Struct({ state: Schema.Literal("registering"), since: Instant, by: Schema.optionalKey(Schema.String) }),
  /** An answer was lost: ECS may have registered it, so that the family is compared first. */
  Schema.Struct({ state: Schema.Literal("lost"), since: Instant }),
  Schema.Struct({
    state: Schema.Literal("ready"),
    arn: Schema.String,
    since: Instant,
    /** When a run was last known to use it, to a few minutes; absent = since it is there. */
    usedAt: Schema.optionalKey(Instant),
    /** Registered by the fleet for a job that wants it deregistered when it is idle. */
    autoDeregister: Schema.optionalKey(Schema.Boolean),
    ...account
  }),
  /** Idle: nobody uses it any more, and ECS is being told. */
  Schema.Struct({ state: Schema.Literal("deregistering"), arn: Schema.String, since: Instant, ...account }),
  /** There is no definition: refused, or deregistered. */
  Schema.Struct({ state: Schema.Literal("absent"), since: Instant })
])
export type Entry = typeof Entry.Type
export type ReadyEntry = Extract<Entry, { readonly state: "ready" }>

export const EntryCodec = codec(Entry)

/** The target of calls about an entry's definition: the region is in its ARN. */
export const targetOf = ({ arn, credentials }: { readonly arn: string; readonly credentials?: string }): AwsTarget => {
  const region = /^arn:[^:]*:ecs:([^:]*):/u.exec(arn)?.[1]
  return { ...(region === undefined ? {} : { region }), ...(credentials === undefined ? {} : { credentials }) }
}

/** What to do about an entry; `notArn` is one that ECS called inactive or unknown: it is not believed. */
export const decideEntry = (
  entry: Entry | undefined,
  nowMillis: number,
  takeOverSeconds: number,
  notArn?: string
): "create" | "check" | "wait" | "takeOver" => {
  switch (entry?.state) {
    case "ready":
      return entry.arn === notArn ? "create" : "check"
    case "registering":
      return nowMillis - millisOf(entry.since) > takeOverSeconds * 1000 ? "takeOver" : "wait"
    case "lost":
      return "takeOver"
    default:
      return "create"
  }
}

export const usedAtOf = (entry: ReadyEntry): Instant => entry.usedAt ?? entry.since

/** An entry that nobody takes up again is forgotten after a day. */
export const FORGET_SECONDS = 86_400

/** What the idle sweep does about an entry, live runs aside. */
export const decideIdle = (
  entry: Entry,
  nowMillis: number,
  limits: { readonly idleSeconds: number; readonly takeOverSeconds: number }
): "keep" | "deregister" | "complete" | "forget" => {
  const isOlder = (instant: Instant, seconds: number) => nowMillis - millisOf(instant) >= seconds * 1000
  switch (entry.state) {
    case "ready":
      return entry.autoDeregister === true && isOlder(usedAtOf(entry), limits.idleSeconds) ? "deregister" : "keep"
    case "deregistering":
      return isOlder(entry.since, limits.takeOverSeconds) ? "complete" : "keep"
    case "absent":
      return isOlder(entry.since, FORGET_SECONDS) ? "forget" : "keep"
    default:
      return "keep"
  }
}
