import { onNatsServers } from "#test/support/NatsServer.ts"
import { natsBench } from "./bus.bench.ts"
import { busSuite } from "./bus.suite.ts"

await onNatsServers("bus", (binary) => {
  busSuite(natsBench(binary))
})
