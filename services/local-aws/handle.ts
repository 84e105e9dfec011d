import { Clock, Effect, Result } from "effect"
import type { AwsException } from "#aws/model/AwsException.ts"
import { Caller } from "#aws/model/Caller.ts"
import type { Account, CurrentAccount } from "./Account.ts"
import type { Settings } from "./config.ts"
import { control } from "./control.ts"
import {
  answerOf,
  errorOf,
  type Route,
  route,
  type Service,
  throttled,
  unknownAction,
  type WireReply,
  type WireRequest
} from "./decide.ts"
import { ec2Input } from "./wire/ec2-form.ts"
import { decodeJson } from "./wire/json.ts"

export interface Handling {
  readonly current: CurrentAccount["Service"]
  readonly settings: Settings
}

/** Answers one request. Never fails: what goes wrong in here is AWS's own kind of error, 500, and logged. */
export const handle = (handling: Handling, request: WireRequest, requestId: string): Effect.Effect<WireReply> =>
  Effect.suspend(() => {
    const to = route(request)
    return Effect.catchCause(reply(handling, to, request.body, requestId), (cause) =>
      Effect.as(
        Effect.logError("local-aws failed inside a request", { path: request.path, requestId }, cause),
        errorOf(to, brokenInside, requestId)
      )
    )
  })

const brokenInside: AwsException = {
  __type: "ServerException",
  message: "local-aws failed inside this request; its log says why."
}

const reply = (handling: Handling, to: Route, body: string, requestId: string): Effect.Effect<WireReply> => {
  if (to.kind === "control") return control(to.operation, { ...handling, query: to.query, body })
  if (to.kind === "refused") return Effect.succeed(errorOf(to, to.error, requestId))
  return Effect.match(call(handling, to, body), {
    onSuccess: (answer) => answerOf(to, answer, requestId),
    onFailure: (error) => errorOf(to, error, requestId)
  })
}

type CallRoute = Extract<Route, { readonly action: string }>

const inputOf = (route: CallRoute, body: string): Result.Result<object, AwsException> =>
  route.kind === "json"
    ? decodeJson(body)
    : Result.succeed(route.service === "ec2" ? ec2Input(route.form) : Object.fromEntries(route.form))

/** Looks the action up, counts the call, lets the quotas judge it, and asks the model. */
const call = (handling: Handling, route: CallRoute, body: string): Effect.Effect<object, AwsException> =>
  Effect.gen(function* () {
    const account = yield* handling.current.get
    const { action, caller, region, service } = route
    const operation = account.operations.get(`${service}:${action}`)
    // Names that mean nothing are counted as one, or a client could fill the journal with them.
    const counted = operation === undefined ? "UnknownAction" : action
    account.journal.called({ region, action: counted }, yield* Clock.currentTimeMillis)
    const asked = Effect.gen(function* () {
      if (operation === undefined)
        return yield* Effect.fail(unknownAction(service, action, actionsOf(account, service)))
      const input = yield* Effect.fromResult(inputOf(route, body))
      if (!(yield* account.pay(region, action, input))) return yield* Effect.fail(throttled(service))
      yield* Effect.logDebug(`${service}:${action}`, { region })
      return yield* Effect.provideService(operation(region, input as never), Caller, caller)
    })
    return yield* Effect.tapError(asked, ({ __type: error }) =>
      Effect.map(Clock.currentTimeMillis, (now) => account.journal.called({ region, action: counted, error }, now))
    )
  })

const actionsOf = (account: Account, service: Service): ReadonlyArray<string> =>
  [...account.operations.keys()].flatMap((name) =>
    name.startsWith(`${service}:`) ? [name.slice(service.length + 1)] : []
  )
