import { Context } from "effect"

/** What happens to a request on its way. */
export type MemoryFault =
  | "none"
  /** It does not arrive; the sender learns of no answer. */
  | "requestLost"
  /** It is carried out; the sender learns of no answer. */
  | "answerLost"

export interface MemoryRequest {
  /** e.g. `publish`, `last`, `createConsumer`. */
  readonly operation: string
  /** The subject, stream or consumer it is about. */
  readonly about: string
}

/** The connection of one simulated process to a `MemoryServer`. */
export interface MemoryLinkShape {
  /** Asked for each request. */
  readonly faultOf: (request: MemoryRequest) => MemoryFault
  /** How long a request is on its way; 0 = it only gives way to other fibers. */
  readonly latencyMillis: (request: MemoryRequest) => number
  /** True once the process is dead or cut off: nothing it sends arrives, nothing arrives at it. */
  readonly isSevered: () => boolean
}

const soundLink: MemoryLinkShape = { faultOf: () => "none", latencyMillis: () => 0, isSevered: () => false }

/** Read when a wire is built; by default nothing is ever lost. */
export const MemoryLink: Context.Reference<MemoryLinkShape> = Context.Reference("bus/MemoryLink", {
  defaultValue: () => soundLink
})
