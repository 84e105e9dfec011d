/**
 * What a file of pools makes of the bucket. Any number of replicas do so at once, and for a while with different
 * versions of the file. That they do not undo each other's work for ever follows from three rules:
 *
 * 1. A version of the file is news once, when a replica starts with it or first reads it. Only then does it replace
 *    what another version wrote, create what is missing and delete what it no longer names. So the last start or change
 *    wins, and when all have the same version, it is that one.
 * 2. At other times a replica only puts right what no file wrote: an entry of a pool that it names, but that is not
 *    valid, or that somebody wrote by hand. What another version wrote is neither.
 * 3. Each write is made in the place of the revision that was looked at. Equal entries are left alone.
 *
 * Entries that a file wrote bear its mark, and none but those are deleted.
 */

import { Result } from "effect"
import type { BucketEntry } from "#bus/Bucket.ts"
import { text } from "#bus/Message.ts"
import { canonicalJson } from "#ecs-core/Digest.ts"
import type { Json } from "#ecs-core/Json.ts"
import { decodePoolEntry, encodePoolEntry } from "#ecs-core/Pool.ts"
import type { NamedPools } from "#ecs-core/PoolFile.ts"
import { usablePool } from "#ecs-core/PoolProblems.ts"
import { parsePoolKey } from "#ecs-core/Subjects.ts"

/** One change of the bucket; `why` is for the log. */
export type PoolStep =
  | { readonly kind: "create"; readonly pool: string; readonly value: string; readonly why: string }
  | {
      readonly kind: "update"
      readonly pool: string
      readonly value: string
      readonly revision: number
      readonly why: string
    }
  | { readonly kind: "delete"; readonly pool: string; readonly revision: number; readonly why: string }

/** What is to be done, given all entries of the bucket. */
export const poolSteps = (
  pools: NamedPools,
  entries: ReadonlyArray<BucketEntry>,
  isNews: boolean
): ReadonlyArray<PoolStep> => {
  const found = new Map(
    entries.filter(({ key }) => parsePoolKey(key)?.kind === "pool").map((entry) => [entry.key, entry])
  )
  return [
    ...[...pools].flatMap(([name, pool]) => written(name, pool, found.get(name), isNews)),
    ...(isNews ? [...found.values()].flatMap((entry) => deleted(pools, entry)) : [])
  ]
}

const written = (
  pool: string,
  fields: Json,
  entry: BucketEntry | undefined,
  isNews: boolean
): ReadonlyArray<PoolStep> => {
  const value = encodePoolEntry({ pool: fields, isFromFile: true })
  if (entry === undefined) return isNews ? [{ kind: "create", pool, value, why: "it is new in the file" }] : []
  const there = text({ data: entry.value })
  const update = (why: string) => [{ kind: "update" as const, pool, value, revision: entry.revision, why }]
  if (Result.isFailure(usablePool(there))) return update("the entry was not valid")
  const read = decodePoolEntry(there)
  if (Result.isFailure(read) || !read.success.isFromFile) return update("the entry was not the file's")
  return isNews && canonicalJson(read.success.pool) !== canonicalJson(fields)
    ? update("the file has another version")
    : []
}

const deleted = (pools: NamedPools, { key, revision, value }: BucketEntry): ReadonlyArray<PoolStep> => {
  const read = decodePoolEntry(text({ data: value }))
  return pools.has(key) || Result.isFailure(read) || !read.success.isFromFile
    ? []
    : [{ kind: "delete", pool: key, revision, why: "the file no longer names it" }]
}
