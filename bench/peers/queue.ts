import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Effect, Schedule } from "effect"
import { launchedTasks } from "#test/support/LocalAws.ts"
import { freePort } from "#test/support/ports.ts"

/**
 * The queue that Prefect's observer reads: as if EventBridge told it of every task that has stopped, at once. AWS takes
 * longer, and that is not in the figures.
 */

interface Waiting {
  readonly answer: (message: string | undefined) => void
}

const LOOK_MILLIS = 20

/** What ECS tells EventBridge of a task that has stopped; as much of it as the observer reads. */
const eventOf = (taskArn: string, clusterArn: string, taskDefinitionArn: string): string =>
  JSON.stringify({
    id: taskArn,
    "detail-type": "ECS Task State Change",
    source: "aws.ecs",
    region: "us-east-1",
    time: new Date().toISOString(),
    detail: { taskArn, clusterArn, taskDefinitionArn, lastStatus: "STOPPED", desiredStatus: "STOPPED", containers: [] }
  })

const bodyOf = async (request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString() || "{}")
}

const makeQueue = (url: () => string) => {
  const messages: Array<string> = []
  const waiting = new Set<Waiting>()
  const receive = (seconds: number): Promise<string | undefined> => {
    const ready = messages.shift()
    if (ready !== undefined) return Promise.resolve(ready)
    return new Promise((resolve) => {
      const one: Waiting = {
        answer: (message) => {
          clearTimeout(timer)
          waiting.delete(one)
          resolve(message)
        }
      }
      const timer = setTimeout(() => one.answer(undefined), seconds * 1000)
      waiting.add(one)
    })
  }
  const answers: Readonly<Record<string, (body: Readonly<Record<string, unknown>>) => Promise<unknown>>> = {
    GetQueueUrl: () => Promise.resolve({ QueueUrl: `${url()}/queue` }),
    ReceiveMessage: async ({ WaitTimeSeconds }) => {
      const message = await receive(Number(WaitTimeSeconds ?? 0))
      const Messages = [{ MessageId: crypto.randomUUID(), ReceiptHandle: crypto.randomUUID(), Body: message }]
      return message === undefined ? {} : { Messages }
    }
  }
  return {
    send: (message: string): void => {
      const [first] = waiting
      if (first === undefined) messages.push(message)
      else first.answer(message)
    },
    handle: async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const action = String(request.headers["x-amz-target"]).split(".").at(-1) ?? ""
      const body = await bodyOf(request)
      const answer = await (answers[action]?.(body) ?? {})
      response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(answer))
    }
  }
}

/** The queue's address, as `AWS_ENDPOINT_URL_SQS`; it ends with the scope. */
export const startQueue = Effect.gen(function* () {
  const port = yield* Effect.promise(freePort)
  const url = `http://127.0.0.1:${port}`
  const queue = makeQueue(() => url)
  const server = createServer((request, response) => void queue.handle(request, response))
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(port, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => (server.closeAllConnections(), server.close()))
  )
  const told = new Set<string>()
  const look = Effect.map(launchedTasks, (tasks) => {
    for (const { clusterArn, endedAt, taskArn, taskDefinitionArn } of tasks) {
      if (endedAt === undefined || told.has(taskArn)) continue
      told.add(taskArn)
      queue.send(eventOf(taskArn, clusterArn, taskDefinitionArn))
    }
  })
  yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(LOOK_MILLIS)))
  return url
})
