import { onNatsServers } from "#test/support/NatsServer.ts"
import { natsBench } from "./bus.bench.ts"
import { busRestartSuite } from "./bus.suite.ts"

await onNatsServers("bus over a restart", (binary) => {
  busRestartSuite(natsBench(binary))
})
