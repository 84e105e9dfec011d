import { JetStreamApiError } from "@nats-io/jetstream"
import {
  ClosedConnectionError,
  DrainingConnectionError,
  InvalidArgumentError,
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError
} from "@nats-io/transport-node"
import { WireError, type WireFault } from "./Wire.ts"

/*
 * Numbers of nats-server's JetStream errors (server/errors.json). Only those are here on which somebody decides; status
 * 503 covers the rest of what passes by itself (elections, a server that is starting).
 */
const faultsByCode: ReadonlyMap<number, WireFault> = new Map([
  [10071, "wrongLastSequence"],
  [10164, "wrongLastSequence"],
  /** "duplicate message id is in process" */
  [10158, "transient"],
  /** "message size exceeds maximum allowed" */
  [10054, "tooLarge"],
  /** "header size exceeds maximum allowed" */
  [10097, "tooLarge"],
  /** "maximum bytes exceeded", "maximum messages exceeded" */
  [10077, "full"],
  [10014, "missing"],
  [10059, "missing"],
  [10043, "missing"],
  [10058, "exists"],
  [10013, "exists"],
  [10105, "exists"],
  [10148, "exists"],
  /** "insufficient storage resources available", "insufficient resources": nobody will add some in the next seconds */
  [10047, "refused"],
  [10023, "refused"]
])

/** The one table from what the client throws to what a caller decides on. */
export const wireErrorOf = (error: unknown): WireError => {
  if (!(error instanceof Error)) return new WireError({ fault: "refused", message: String(error) })
  return new WireError({ fault: faultOf(error), message: error.message })
}

const faultOf = (error: Error): WireFault => {
  if (error instanceof JetStreamApiError) return faultOfApi(error)
  if (error instanceof PermissionViolationError || error.cause instanceof PermissionViolationError) return "denied"
  if (error instanceof ClosedConnectionError || error instanceof DrainingConnectionError) return "closed"
  if (error instanceof TimeoutError || error instanceof NoRespondersError || error.name === "JetStreamNotEnabled")
    return "transient"
  if (error instanceof RequestError)
    return error.cause instanceof ClosedConnectionError || error.cause instanceof DrainingConnectionError
      ? "closed"
      : "transient"
  if (error instanceof InvalidArgumentError && error.message.includes("max_payload")) return "tooLarge"
  return "refused"
}

const faultOfApi = ({ code, status }: Pick<JetStreamApiError, "code" | "status">): WireFault =>
  faultsByCode.get(code) ?? (status === 503 ? "transient" : "refused")

/** A refusal as JetStream answers it. */
export interface ApiRefusal {
  /** As of HTTP. */
  readonly code: number
  readonly err_code?: number
  readonly description?: string
}

export const wireErrorOfApi = ({ code, err_code = 0, description = "" }: ApiRefusal): WireError =>
  new WireError({ fault: faultOfApi({ code: err_code, status: code }), message: description })
