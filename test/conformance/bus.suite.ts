import { describe, layer } from "@effect/vitest"
import type { Layer } from "effect"
import type { BenchServices } from "./bus.bench.ts"
import { bucketSuite } from "./bus.bucket.suite.ts"
import { consumerSuite } from "./bus.consumer.suite.ts"
import { deadLetterSuite } from "./bus.dead.suite.ts"
import { leasesSuite } from "./bus.leases.suite.ts"
import { messagesSuite } from "./bus.messages.suite.ts"
import { publisherSuite } from "./bus.publisher.suite.ts"
import { topologySuite } from "./bus.topology.suite.ts"

/** The one suite for every implementation of the bus. Real time: the servers under test have no other. */
export const busSuite = <E>(name: string, bench: Layer.Layer<BenchServices, E>): void => {
  layer(bench, { excludeTestServices: true })(name, (it) => {
    describe("publisher", () => publisherSuite(it))
    describe("messages", () => messagesSuite(it))
    describe("consumer", () => consumerSuite(it))
    describe("dead letters", () => deadLetterSuite(it))
    describe("leases", () => leasesSuite(it))
    describe("buckets", () => bucketSuite(it))
    describe("topology", () => topologySuite(it))
  })
}
