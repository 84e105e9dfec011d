import { type BusMessage, bytes } from "#bus/Message.ts"
import { WireError, type WirePublish, type WireStream } from "#bus/wire/Wire.ts"
import { subjectMatches } from "./subjects.ts"

/** A stored message and what it weighs. */
interface Stored {
  readonly message: BusMessage
  readonly size: number
}

/** nats-server's `max_payload`. */
const maxPayloadBytes = 1_048_576

const messageIdHeader = "Nats-Msg-Id"

/** The messages of one in-memory stream, under nats-server's rules for limits, fences and message ids. */
export class MemoryStream {
  config: WireStream
  lastSeq = 0
  private totalBytes = 0
  /** By sequence, which is the order of insertion. */
  private readonly messages = new Map<number, Stored>()
  private readonly seqsBySubject = new Map<string, Array<number>>()
  private readonly ids = new Map<string, { readonly seq: number; readonly time: number }>()
  private readonly onRemoved: (message: BusMessage) => void

  constructor(config: WireStream, onRemoved: (message: BusMessage) => void) {
    this.config = config
    this.onRemoved = onRemoved
  }

  /** What is over a new limit goes at once, the oldest first. */
  update(config: WireStream): void {
    this.config = config
    this.trim([])
  }

  takes(subject: string): boolean {
    return this.config.subjects.some((filter) => subjectMatches(filter, subject))
  }

  /** Stores it, or says why not. */
  store(p: WirePublish, now: number): { readonly seq: number; readonly duplicate: boolean } | WireError {
    this.expire(now)
    const id = p.messageId ?? p.headers[messageIdHeader]
    const known = id === undefined ? undefined : this.ids.get(id)
    if (known !== undefined) return { seq: known.seq, duplicate: true }
    const size = sizeOf(p)
    const refusal = this.refusalOf(p, size)
    if (refusal !== undefined) return refusal
    const seq = ++this.lastSeq
    const headers = id === undefined ? p.headers : { ...p.headers, [messageIdHeader]: id }
    const message = { stream: this.config.name, subject: p.subject, seq, time: now, data: p.data, headers }
    this.messages.set(seq, { message, size })
    this.totalBytes += size
    const seqs = this.seqsBySubject.get(p.subject) ?? []
    seqs.push(seq)
    this.seqsBySubject.set(p.subject, seqs)
    if (id !== undefined) this.ids.set(id, { seq, time: now })
    this.trim(seqs)
    return { seq, duplicate: false }
  }

  last(subject: string): BusMessage | undefined {
    const seq = this.seqsBySubject.get(subject)?.at(-1)
    if (seq !== undefined) return this.at(seq)
    if (!/[*>]/.test(subject)) return undefined
    return [...this.messages.values()].findLast(({ message }) => subjectMatches(subject, message.subject))?.message
  }

  at(seq: number): BusMessage | undefined {
    return this.messages.get(seq)?.message
  }

  /** The first message at or behind `fromSeq` that the filter lets through. */
  next(filter: string, fromSeq: number): BusMessage | undefined {
    for (let seq = Math.max(fromSeq, this.firstSeq()); seq <= this.lastSeq; seq++) {
      const message = this.at(seq)
      if (message !== undefined && subjectMatches(filter, message.subject)) return message
    }
    return undefined
  }

  /** The sequence of the first message that was stored then or later; behind the last one where there is none. */
  firstSeqSince(timeMillis: number): number {
    for (const [seq, { message }] of this.messages) if (message.time >= timeMillis) return seq
    return this.lastSeq + 1
  }

  count(filter: string, fromSeq: number): number {
    let count = 0
    for (let m = this.next(filter, fromSeq); m !== undefined; m = this.next(filter, m.seq + 1)) count++
    return count
  }

  remove(seq: number): boolean {
    const stored = this.messages.get(seq)
    if (stored === undefined) return false
    const { message, size } = stored
    this.messages.delete(seq)
    this.totalBytes -= size
    const seqs = this.seqsBySubject.get(message.subject) ?? []
    seqs.splice(seqs.indexOf(seq), 1)
    if (seqs.length === 0) this.seqsBySubject.delete(message.subject)
    this.onRemoved(message)
    return true
  }

  /** Forgets what is older than the age limit, and message ids older than their window. */
  expire(now: number): void {
    const { maxAgeSeconds, duplicateWindowSeconds } = this.config
    for (const [id, { time }] of this.ids) {
      if (time + duplicateWindowSeconds * 1_000 > now) break
      this.ids.delete(id)
    }
    if (maxAgeSeconds === 0) return
    for (const [seq, { message }] of this.messages) {
      if (message.time + maxAgeSeconds * 1_000 > now) break
      this.remove(seq)
    }
  }

  private firstSeq(): number {
    const [first] = this.messages.keys()
    return first ?? this.lastSeq + 1
  }

  private refusalOf(p: WirePublish, size: number): WireError | undefined {
    const { maxBytes, maxMessageBytes, discard } = this.config
    if (size > maxPayloadBytes || (maxMessageBytes >= 0 && size > maxMessageBytes))
      return new WireError({ fault: "tooLarge", message: "message size exceeds maximum allowed" })
    const lastOfSubject = this.seqsBySubject.get(p.subject)?.at(-1) ?? 0
    if (p.expectedLastSequence !== undefined && p.expectedLastSequence !== lastOfSubject)
      return new WireError({ fault: "wrongLastSequence", message: `wrong last sequence: ${lastOfSubject}` })
    if (discard === "new" && maxBytes >= 0 && this.totalBytes + size > maxBytes)
      return new WireError({ fault: "full", message: "maximum bytes exceeded" })
    return undefined
  }

  private trim(seqsOfSubject: ReadonlyArray<number>): void {
    const { maxBytes, maxMessagesPerSubject: perSubject } = this.config
    if (perSubject > 0) for (const seq of seqsOfSubject.slice(0, -perSubject)) this.remove(seq)
    for (const seq of this.messages.keys()) {
      if (maxBytes < 0 || this.totalBytes <= maxBytes) break
      this.remove(seq)
    }
  }
}

const sizeOf = ({ data, headers }: WirePublish): number =>
  data.length + bytes(Object.entries(headers).flat().join("")).length
