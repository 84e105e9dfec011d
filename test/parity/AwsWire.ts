import type { IncomingMessage, ServerResponse } from "node:http"
import { Context, Effect, Layer } from "effect"
import type { Settings } from "#services/local-aws/config.ts"
import { isJudgedByMoto, layerMoto } from "#test/moto/Moto.ts"
import { bodyOf, handOn, listen, write } from "#test/support/httpServer.ts"
import { LocalAws, layerTest } from "#test/support/LocalAws.ts"

/** A call as it left the SDK. */
export interface WireCall {
  /** `RunTask`, `DescribeSubnets`. */
  readonly action: string
  /** From the signature. */
  readonly region: string
  /** The input: JSON as sent, or the fields of EC2's form. */
  readonly input: Readonly<Record<string, unknown>>
}

/** What stands between the SDK and local-aws: hands every call on, unchanged, and keeps it for the test to look at. */
export class AwsWire extends Context.Service<
  AwsWire,
  {
    readonly calls: () => ReadonlyArray<WireCall>
    /** The next such call is answered with this JSON and goes no further: what local-aws would never say. */
    readonly answerOnce: (isIt: (call: WireCall) => boolean, answer: object | ((call: WireCall) => object)) => void
  }
>()("test/AwsWire") {
  /** local-aws whose `url` leads over the wire. */
  static readonly layer = (settings: Partial<Settings> = {}): Layer.Layer<LocalAws | AwsWire> =>
    Layer.effectContext(
      Effect.gen(function* () {
        const behind = yield* LocalAws
        const wire: Wire = { to: behind.url, calls: [], answers: [] }
        const url = yield* listen((incoming, response) => answer(wire, incoming, response))
        return Context.make(AwsWire, {
          calls: () => wire.calls,
          answerOnce: (isIt, answer) => wire.answers.push({ isIt, answer })
        }).pipe(Context.add(LocalAws, { ...behind, url }))
      })
    ).pipe(Layer.provide(isJudgedByMoto ? layerMoto(settings.clusters) : layerTest(settings)), Layer.orDie)
}

interface Wire {
  readonly to: string
  readonly calls: Array<WireCall>
  readonly answers: Array<{
    readonly isIt: (call: WireCall) => boolean
    readonly answer: object | ((call: WireCall) => object)
  }>
}

const answer = async (wire: Wire, incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = await bodyOf(incoming)
  const call = callOf(incoming, body)
  if (call !== undefined) wire.calls.push(call)
  const at = call === undefined ? -1 : wire.answers.findIndex(({ isIt }) => isIt(call))
  const [own] = at < 0 ? [] : wire.answers.splice(at, 1)
  if (own !== undefined && call !== undefined) {
    const said = typeof own.answer === "function" ? own.answer(call) : own.answer
    return write(response, 200, "application/x-amz-json-1.1", JSON.stringify(said))
  }
  const { contentType, status, text } = await handOn(wire.to, incoming, body)
  write(response, status, contentType, text)
}

const callOf = ({ headers }: IncomingMessage, body: string): WireCall | undefined => {
  const region = /Credential=[^/]*\/[^/]*\/([^/]+)\//.exec(headers.authorization ?? "")?.[1] ?? ""
  const target = headers["x-amz-target"]
  if (typeof target === "string") {
    const input = JSON.parse(body === "" ? "{}" : body) as Record<string, unknown>
    return { action: target.slice(target.lastIndexOf(".") + 1), region, input }
  }
  const form = new URLSearchParams(body)
  const action = form.get("Action")
  return action === null ? undefined : { action, region, input: Object.fromEntries(form) }
}
