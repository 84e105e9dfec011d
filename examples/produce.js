// A producer that knows nothing of ecs-fleet but three subjects: one to ask on, two to read from.
import { jetstream } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"

const nc = await connect({ servers: process.env.NATS_URL ?? "nats://127.0.0.1:4222" })
const js = jetstream(nc)

const request = { command: ["sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.2; done; exit 3"] }
const { seq } = await js.publish("run.requested", JSON.stringify(request))
const runId = `run-${seq}`

const logs = await js.consumers.get("FLEET_LOGS", { filter_subjects: `logs.${runId}` })
for await (const message of await logs.consume()) {
  const { lines = [], end } = message.json()
  for (const { text } of lines) console.log(text)
  if (end) break
}

const ends = await js.consumers.get("FLEET", { filter_subjects: `run.finished.${runId}` })
const { outcome, exitCode } = (await ends.next()).json()
console.log(`${outcome}, exit code ${exitCode}`)
await nc.close()
