import { assert, describe, it } from "@effect/vitest"
import { cpuUnits, fargateCpus, fargateMemories, isFargateSize, memoryMiB, neighbours } from "#ecs-core/FargateSizes.ts"

describe("Fargate's sizes", () => {
  it.each([
    { cpu: 256, first: 512, last: 2048, count: 3 },
    { cpu: 512, first: 1024, last: 4096, count: 4 },
    { cpu: 1024, first: 2048, last: 8192, count: 7 },
    { cpu: 2048, first: 4096, last: 16_384, count: 13 },
    { cpu: 4096, first: 8192, last: 30_720, count: 23 },
    { cpu: 8192, first: 16_384, last: 61_440, count: 12 },
    { cpu: 16_384, first: 32_768, last: 122_880, count: 12 },
    { cpu: 32_768, first: 61_440, last: 249_856, count: 3 }
  ])("$cpu units have $count sizes of memory from $first to $last", ({ cpu, first, last, count }) => {
    const memories = fargateMemories(cpu)
    assert.deepStrictEqual([memories[0], memories.at(-1), memories.length], [first, last, count])
    assert.isTrue(isFargateSize(cpu, first) && isFargateSize(cpu, last))
    assert.isFalse(isFargateSize(cpu, first - 1) || isFargateSize(cpu, last + 1))
  })

  it("knows no other number of units", () => {
    assert.strictEqual(fargateCpus.length, 8)
    assert.deepStrictEqual(fargateMemories(1000), [])
  })

  it.each([
    { wanted: 300, near: [256, 512] },
    { wanted: 256, near: [256] },
    { wanted: 128, near: [256] },
    { wanted: 100_000, near: [32_768] }
  ])("next to $wanted are $near", ({ wanted, near }) => {
    assert.deepStrictEqual(neighbours(fargateCpus, wanted), near)
  })
})

describe("sizes as ECS writes them", () => {
  it.each([
    { size: 1024, units: 1024 },
    { size: "1024", units: 1024 },
    { size: "1 vCPU", units: 1024 },
    { size: ".25 vcpu", units: 256 },
    { size: " 0.5vCPU ", units: 512 },
    { size: "1 GB", units: undefined },
    { size: "", units: undefined },
    { size: null, units: undefined }
  ])("cpu $size is $units", ({ size, units }) => {
    assert.strictEqual(cpuUnits(size), units)
  })

  it.each([
    { size: "2 GB", mib: 2048 },
    { size: "2GB", mib: 2048 },
    { size: "0.5 gb", mib: 512 },
    { size: "512", mib: 512 },
    { size: "512 MB", mib: undefined }
  ])("memory $size is $mib", ({ size, mib }) => {
    assert.strictEqual(memoryMiB(size), mib)
  })
})
