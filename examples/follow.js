// Follows the lines of a run, from the first one to its end: node examples/follow.js <run id>
import { jetstream } from "@nats-io/jetstream"
import { connect, nkeyAuthenticator } from "@nats-io/transport-node"

const [runId] = process.argv.slice(2)
if (runId === undefined) throw new Error("Say which run: node examples/follow.js <run id>")

// Credentials as `fleet auth init` writes them; none where NATS asks for none.
const { NATS_URL, NATS_NKEY_SEED, NATS_INBOX_PREFIX, NATS_JS_DOMAIN } = process.env
const nc = await connect({
  servers: NATS_URL ?? "nats://127.0.0.1:4222",
  maxReconnectAttempts: -1,
  ...(NATS_NKEY_SEED && { authenticator: nkeyAuthenticator(new TextEncoder().encode(NATS_NKEY_SEED)) }),
  ...(NATS_INBOX_PREFIX && { inboxPrefix: NATS_INBOX_PREFIX })
})
const logs = await jetstream(nc, NATS_JS_DOMAIN ? { domain: NATS_JS_DOMAIN } : {}).consumers.get("FLEET_LOGS", {
  filter_subjects: `logs.${runId}`
})

// A long line comes in pieces, and other lines may stand between them.
const pieces = new Map()
const textOf = (attempt, { container, id, part, last, text }) => {
  if (part === undefined) return text
  const line = `${attempt} ${container} ${id}`
  const soFar = (pieces.get(line) ?? "") + text
  if (last) pieces.delete(line)
  else pieces.set(line, soFar)
  return last ? soFar : undefined
}

for await (const message of await logs.consume()) {
  const { attempt, lines = [], end } = message.json()
  for (const line of lines) {
    const text = textOf(attempt, line)
    if (text !== undefined) console.log(text)
  }
  if (end) {
    for (const text of pieces.values()) console.log(text)
    if (!end.complete) console.error("the last lines may be missing")
    break
  }
}
await nc.close()
