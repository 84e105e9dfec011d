/** Sizes as ECS writes them, and the pairs of CPU units and MiB that Fargate runs (ECS developer guide, task sizes). */

const range = (first: number, last: number, step: number): ReadonlyArray<number> =>
  Array.from({ length: (last - first) / step + 1 }, (_, index) => first + index * step)

const memoriesByCpu: ReadonlyMap<number, ReadonlyArray<number>> = new Map([
  [256, [512, 1024, 2048]],
  [512, range(1024, 4096, 1024)],
  [1024, range(2048, 8192, 1024)],
  [2048, range(4096, 16_384, 1024)],
  [4096, range(8192, 30_720, 1024)],
  [8192, range(16_384, 61_440, 4096)],
  [16_384, range(32_768, 122_880, 8192)],
  [32_768, [61_440, 122_880, 249_856]]
])

/** CPU units that Fargate offers, rising. */
export const fargateCpus: ReadonlyArray<number> = [...memoriesByCpu.keys()]

/** CPU units that Fargate offers to Windows, rising. */
export const fargateCpusWindows: ReadonlyArray<number> = [1024, 2048, 4096]

/** MiB that Fargate offers with these CPU units, rising; none for a number of units that it does not have. */
export const fargateMemories = (cpu: number): ReadonlyArray<number> => memoriesByCpu.get(cpu) ?? []

/** Whether Fargate runs this pair of CPU units and MiB. */
export const isFargateSize = (cpu: number, memory: number): boolean => fargateMemories(cpu).includes(memory)

/** The allowed values next to the wanted one: one below and one above, where there are any. */
export const neighbours = (allowed: ReadonlyArray<number>, wanted: number): ReadonlyArray<number> => {
  const below = allowed.findLast((value) => value <= wanted)
  const above = allowed.find((value) => value >= wanted)
  return [...new Set([below, above])].flatMap((value) => (value === undefined ? [] : [value]))
}

/** CPU units of `1024`, `"1024"` or `"1 vCPU"`; undefined for anything else. */
export const cpuUnits = (size: unknown): number | undefined => sizeOf(size, /^([0-9]*\.?[0-9]+)\s*vcpu$/i)

/** MiB of `2048`, `"2048"`, `"2 GB"` or `"2GB"`; undefined for anything else. */
export const memoryMiB = (size: unknown): number | undefined => sizeOf(size, /^([0-9]*\.?[0-9]+)\s*gb$/i)

const sizeOf = (size: unknown, scaled: RegExp): number | undefined => {
  if (typeof size === "number") return size
  if (typeof size !== "string") return undefined
  const text = size.trim()
  if (/^[0-9]+$/.test(text)) return Number(text)
  const [, count] = scaled.exec(text) ?? []
  return count === undefined ? undefined : Math.round(Number(count) * 1024)
}
