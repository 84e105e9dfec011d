import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Context, Effect, Layer } from "effect"

/** A stand-in for S3 that gives objects: GetObject by path with ETag, for the SDK as it is. Nothing else is there. */
export class S3Server extends Context.Service<
  S3Server,
  {
    readonly url: string
    /** Stores an object of `bucket/key`, or takes it away. */
    readonly put: (path: string, text: string | undefined) => void
    /** From now on every answer is this error, or again the object. */
    readonly refuse: (error: { readonly status: number; readonly code: string } | undefined) => void
    /** Answers so far, as `GET /bucket/key 200`. */
    readonly answers: () => ReadonlyArray<string>
  }
>()("test/S3Server") {
  static readonly layerTest = Layer.effect(
    S3Server,
    Effect.gen(function* () {
      const objects = new Map<string, string>()
      const answers: Array<string> = []
      let refusal: { readonly status: number; readonly code: string } | undefined
      const answer = (request: IncomingMessage, response: ServerResponse) => {
        const path = new URL(request.url ?? "", "http://s3").pathname
        const reply = replyTo(objects.get(path), request.headers["if-none-match"], refusal)
        answers.push(`${request.method} ${path} ${reply.status}`)
        response.writeHead(reply.status, { "x-amz-request-id": "1", ...reply.headers }).end(reply.body)
      }
      const server = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const made = createServer(answer)
          made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
        }),
        (made) => Effect.sync(() => void made.close().closeAllConnections())
      )
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      return {
        url: `http://127.0.0.1:${port}`,
        put: (path, text) => void (text === undefined ? objects.delete(`/${path}`) : objects.set(`/${path}`, text)),
        refuse: (error) => {
          refusal = error
        },
        answers: () => [...answers]
      }
    })
  )
}

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const replyTo = (
  text: string | undefined,
  known: string | undefined,
  refusal: { readonly status: number; readonly code: string } | undefined
): Reply => {
  if (refusal !== undefined) return errorReply(refusal.status, refusal.code)
  if (text === undefined) return errorReply(404, "NoSuchKey")
  const etag = `"${createHash("md5").update(text).digest("hex")}"`
  if (known === etag) return { status: 304, headers: { etag }, body: "" }
  return { status: 200, headers: { etag, "content-length": String(Buffer.byteLength(text)) }, body: text }
}

const errorReply = (status: number, code: string): Reply => ({
  status,
  headers: { "content-type": "application/xml" },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`
})

/** What the SDK needs in the environment to find it. */
export const s3Env = (url: string): Readonly<Record<string, string>> => ({
  AWS_ENDPOINT_URL: url,
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test"
})
