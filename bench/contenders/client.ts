import {
  AckPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
  type StoredMsg
} from "@nats-io/jetstream"
import { connect, headers, type NatsConnection } from "@nats-io/transport-node"

/** JetStream by its client alone, as fast as it is without a project around it: what the fleet's own bus is held against. */
export interface Client {
  readonly nc: NatsConnection
  readonly js: JetStreamClient
  readonly jsm: JetStreamManager
}

export const connectClient = async (): Promise<Client> => {
  const nc = await connect({ servers: process.env["NATS_URL"] ?? "", noAsyncTraces: true })
  return { nc, js: jetstream(nc), jsm: await jetstreamManager(nc, { checkAPI: false }) }
}

type Handler = (message: JsMsg, runId: string) => Promise<unknown>

/** Handles what a durable hands out, as many at a time as come, and acknowledges each. */
export const handle = async ({ js }: Client, stream: string, durable: string, handler: Handler): Promise<void> => {
  const consumer = await js.consumers.get(stream, durable)
  await consumer.consume({
    max_messages: 500,
    callback: (message) =>
      void handler(message, runIdOf(message.subject)).then(
        () => message.ack(),
        (error: unknown) => {
          process.stderr.write(`${message.subject}: ${String(error)}\n`)
          message.nak(1000)
        }
      )
  })
}

const runIdOf = (subject: string): string => subject.split(".")[2] ?? ""

/** A durable on one subject, where the fleet has none of the kind. */
export const ensureDurable = async ({ jsm }: Client, stream: string, durable: string, filter: string): Promise<void> =>
  void (await jsm.consumers.add(stream, {
    durable_name: durable,
    filter_subject: filter,
    ack_policy: AckPolicy.Explicit,
    max_ack_pending: 200_000
  }))

/** Reads along, as whoever follows a subject does, without acknowledgements. */
export const follow = async ({ js }: Client, stream: string, filter: string): Promise<void> => {
  const consumer = await js.consumers.get(stream, { filter_subjects: filter })
  await consumer.consume({ callback: (message) => void message.json() })
}

/** The headers that every message of the fleet has, of the same length. */
const headersOf = (more: Readonly<Record<string, string>>) => {
  const all = headers()
  all.set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
  all.set("Bus-Publish-Id", "1x8jtq93k1gho2rx5f3mk")
  for (const [name, value] of Object.entries(more)) all.set(name, value)
  return all
}

/** Publishes right behind the subject's message of this sequence, 0 = as its first; the new sequence. */
export const append = async (
  { js }: Client,
  subject: string,
  data: string,
  lastSequence: number,
  more: Readonly<Record<string, string>> = {}
): Promise<number> => {
  const expect = { lastSubjectSequence: lastSequence }
  return (await js.publish(subject, data, { headers: headersOf(more), expect })).seq
}

export const publish = async (
  { js }: Client,
  subject: string,
  data: string,
  more: Readonly<Record<string, string>> = {}
): Promise<number> => (await js.publish(subject, data, { headers: headersOf(more) })).seq

/** From the stream's leader; the value is parsed, as whoever reads one does. */
export const last = async ({ jsm }: Client, stream: string, subject: string): Promise<StoredMsg | null> => {
  const found = await jsm.streams.getMessage(stream, { last_by_subj: subject })
  if (found !== null && found.data.length > 0) found.json()
  return found
}
