import { Effect, Option, Stream } from "effect"
import type { Bucket, BucketEntry } from "./Bucket.ts"
import { BusUnavailable, KeyExists, RevisionConflict } from "./BusError.ts"
import type { BusMessage } from "./Message.ts"
import { patiently, unavailable } from "./patience.ts"
import { type Outgoing, type Publishing, publishFenced, publishPlain } from "./publishing.ts"
import { read } from "./replay.ts"

/*
 * Key-value buckets as every client of NATS knows them (ADR-8): a stream `KV_<bucket>`, one subject `$KV.<bucket>.<key>`
 * per key, a message with the header `KV-Operation: DEL` for a deleted one. Only the last value of a key is kept.
 */

const operationHeader = "KV-Operation"

/** The stream behind a bucket. */
export const bucketStream = (bucket: string): string => `KV_${bucket}`

/** The subject of a key. */
export const bucketSubject = (bucket: string, key: string): string => `$KV.${bucket}.${key}`

export const openBucket = Effect.fnUntraced(function* (
  deps: Publishing,
  bucket: string
): Effect.fn.Return<Bucket, BusUnavailable> {
  yield* assertExists(deps, bucket)
  return {
    name: bucket,
    get: (key) => Effect.map(lastOf(deps, bucket, key), Option.flatMap(entryOf)),
    create: (key, value) => create(deps, { bucket, key, value }),
    update: (key, value, revision) => update(deps, { bucket, key, value }, revision),
    put: (key, value) => put(deps, { bucket, key, value }),
    delete: (key) => remove(deps, bucket, key),
    deleteRevision: (key, revision) => removeRevision(deps, bucket, key, revision),
    keys: () => Effect.map(snapshot(deps, bucket, true), (entries) => entries.map(({ key }) => key)),
    entries: () => snapshot(deps, bucket, false),
    changes: () => changes(deps, bucket),
    watch: (key) => watch(deps, bucket, key)
  }
})

interface Entry {
  readonly bucket: string
  readonly key: string
  readonly value: string | Uint8Array
}

const assertExists = Effect.fnUntraced(function* ({ wire, settings }: Publishing, bucket: string) {
  const operation = `open bucket ${bucket}`
  const looked = yield* Effect.result(patiently(settings, wire.stream(bucketStream(bucket))))
  if (looked._tag === "Failure" && looked.failure.fault !== "denied")
    return yield* unavailable(operation)(looked.failure)
  if (looked._tag === "Failure" || Option.isSome(looked.success)) return
  return yield* new BusUnavailable({
    operation,
    reason: "Missing",
    message: `bucket ${bucket} does not exist: create the topology first`
  })
})

const validKey = /^[-/=_a-zA-Z0-9]+(\.[-/=_a-zA-Z0-9]+)*$/

const assertKey = (bucket: string, key: string): Effect.Effect<void, BusUnavailable> =>
  validKey.test(key)
    ? Effect.void
    : new BusUnavailable({
        operation: `bucket ${bucket}`,
        reason: "Refused",
        message: `"${key}" is no key: use letters, digits and - / _ =, and dots between them`
      })

const lastOf = ({ wire, settings }: Publishing, bucket: string, key: string) =>
  assertKey(bucket, key).pipe(
    Effect.andThen(
      patiently(settings, wire.last(bucketStream(bucket), bucketSubject(bucket, key))).pipe(
        Effect.mapError(unavailable(`get ${bucket}/${key}`))
      )
    )
  )

const isDeletion = (m: BusMessage): boolean =>
  m.headers[operationHeader] === "DEL" || m.headers[operationHeader] === "PURGE"

const keyOf = (m: BusMessage): string => m.subject.split(".").slice(2).join(".")

const entryOf = (m: BusMessage): Option.Option<BucketEntry> =>
  isDeletion(m) ? Option.none() : Option.some({ key: keyOf(m), value: m.data, revision: m.seq, time: m.time })

const outgoing = ({ bucket, key, value }: Entry): Outgoing => ({
  stream: bucketStream(bucket),
  subject: bucketSubject(bucket, key),
  data: value
})

const put = (deps: Publishing, entry: Entry) =>
  assertKey(entry.bucket, entry.key).pipe(
    Effect.andThen(publishPlain(deps, outgoing(entry))),
    Effect.map(({ seq }) => seq)
  )

const create = Effect.fnUntraced(function* (deps: Publishing, entry: Entry) {
  const { bucket, key } = entry
  yield* assertKey(bucket, key)
  const first = yield* publishFenced(deps, outgoing(entry), 0)
  if (first._tag === "Stored") return first.seq
  if (Option.isSome(first.other) && isDeletion(first.other.value)) {
    const second = yield* publishFenced(deps, outgoing(entry), first.other.value.seq)
    if (second._tag === "Stored") return second.seq
  }
  return yield* new KeyExists({ bucket, key })
})

const update = Effect.fnUntraced(function* (deps: Publishing, entry: Entry, revision: number) {
  const { bucket, key } = entry
  yield* assertKey(bucket, key)
  const result = yield* publishFenced(deps, outgoing(entry), revision)
  if (result._tag === "Stored") return result.seq
  return yield* new RevisionConflict({ bucket, key })
})

/**
 * Marks the key as deleted, for those who watch, then removes the mark, which would otherwise be read by every `keys`
 * until it ages out. Without permission for the second, the mark stays; it means the same.
 */
const remove = Effect.fnUntraced(function* (deps: Publishing, bucket: string, key: string) {
  yield* assertKey(bucket, key)
  const { seq } = yield* publishPlain(deps, deletionOf(bucket, key))
  yield* Effect.ignore(deps.wire.remove(bucketStream(bucket), seq))
})

const removeRevision = Effect.fnUntraced(function* (deps: Publishing, bucket: string, key: string, revision: number) {
  yield* assertKey(bucket, key)
  const result = yield* publishFenced(deps, deletionOf(bucket, key), revision)
  if (result._tag === "Refused") return yield* new RevisionConflict({ bucket, key })
  yield* Effect.ignore(deps.wire.remove(bucketStream(bucket), result.seq))
})

const deletionOf = (bucket: string, key: string): Outgoing => ({
  ...outgoing({ bucket, key, value: "" }),
  headers: { [operationHeader]: "DEL" }
})

/** Values are replaced while they are read: so often it is read on before a key counts as missing. */
const snapshotRounds = 3

/** A key that changes meanwhile comes again; the last one counts. */
const snapshot = (deps: Publishing, bucket: string, headersOnly: boolean) => {
  const everything = { stream: bucketStream(bucket), subject: bucketSubject(bucket, ">"), follow: false, headersOnly }
  return read(deps, { ...everything, moreRounds: snapshotRounds }).pipe(
    Stream.runFold(
      () => new Map<string, BucketEntry>(),
      (entries, m) => {
        const entry = entryOf(m)
        if (Option.isSome(entry)) return entries.set(keyOf(m), entry.value)
        entries.delete(keyOf(m))
        return entries
      }
    ),
    Effect.map((entries) => [...entries.values()])
  )
}

/** A mark of a deletion may be removed before it is read; whoever must not miss one looks now and then. */
const changes = (deps: Publishing, bucket: string) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const of = { stream: bucketStream(bucket), subject: bucketSubject(bucket, ">") }
      const last = yield* patiently(deps.settings, deps.wire.last(of.stream, of.subject)).pipe(
        Effect.mapError(unavailable(`follow bucket ${bucket}`))
      )
      const fromSeq = Option.match(last, { onNone: () => 1, onSome: ({ seq }) => seq })
      const followed = { ...of, fromSeq, follow: true, headersOnly: true, moreRounds: 0 }
      return Stream.map(read(deps, followed), keyOf)
    })
  )

const watch = (deps: Publishing, bucket: string, key: string) => {
  const subject = bucketSubject(bucket, key)
  return read(deps, { stream: bucketStream(bucket), subject, follow: true, headersOnly: false, moreRounds: 0 }).pipe(
    Stream.map(entryOf),
    Stream.filter(Option.isSome),
    Stream.map((entry) => entry.value)
  )
}
