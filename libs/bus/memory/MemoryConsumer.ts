import type { BusMessage } from "#bus/Message.ts"
import { formatAckSubject } from "#bus/wire/ackSubject.ts"
import type { AckKind, PullEnd, WireConsumer, WireDelivery } from "#bus/wire/Wire.ts"
import type { MemoryStream } from "./MemoryStream.ts"
import { subjectMatches } from "./subjects.ts"

/** A pull request that waits at the server. */
export interface Waiter {
  left: number
  /** False once the process behind it is gone: what is sent to it then is lost. */
  readonly isAlive: () => boolean
  readonly deliver: (d: WireDelivery) => void
  readonly end: (end: PullEnd) => void
}

/** A message that was handed out and is not acknowledged. */
interface Unacked {
  deliveries: number
  /** When it is handed out again. */
  dueAt: number
}

const defaultAckWaitSeconds = 30
const defaultMaxAckPending = 1_000

/** One in-memory consumer, under nats-server's rules for redelivery. */
export class MemoryConsumer {
  config: WireConsumer
  /** Messages that match and were not handed out yet. */
  pending: number
  lastPullAt: number
  private readonly stream: MemoryStream
  private readonly waiters: Array<Waiter> = []
  private readonly unacked = new Map<number, Unacked>()
  /** When un-acked messages are due, earliest first. An entry whose message has another time by now means nothing. */
  private readonly due: Array<{ readonly at: number; readonly seq: number }> = []
  private nextSeq: number
  private deliverySeq = 0

  constructor(stream: MemoryStream, config: WireConsumer, now: number) {
    this.stream = stream
    this.config = config
    this.nextSeq = config.fromSeq ?? stream.firstSeqSince(config.fromTimeMillis ?? 0)
    this.pending = stream.count(this.filter, this.nextSeq)
    this.lastPullAt = now
  }

  get filter(): string {
    return this.config.filterSubject ?? ">"
  }

  get isWaitedFor(): boolean {
    return this.waiters.length > 0
  }

  get unackedCount(): number {
    return this.unacked.size
  }

  /** Every message up to it is acknowledged, or was not for this consumer. */
  get ackFloor(): number {
    return [...this.unacked.keys()].reduce((least, seq) => Math.min(least, seq), this.nextSeq) - 1
  }

  stored(message: BusMessage): void {
    if (message.seq >= this.nextSeq && subjectMatches(this.filter, message.subject)) this.pending++
  }

  removed(message: BusMessage): void {
    if (message.seq >= this.nextSeq && subjectMatches(this.filter, message.subject)) this.pending--
  }

  update(config: WireConsumer): void {
    this.config = config
    this.pending = this.stream.count(this.filter, this.nextSeq)
  }

  wait(waiter: Waiter, now: number): void {
    this.lastPullAt = now
    this.waiters.push(waiter)
  }

  leave(waiter: Waiter): void {
    const at = this.waiters.indexOf(waiter)
    if (at >= 0) this.waiters.splice(at, 1)
  }

  /** Ends every waiting request, as a restart or the consumer's deletion does. */
  breakOff(): void {
    for (const waiter of this.waiters.splice(0)) waiter.end("broken")
  }

  /** Hands out what can be handed out, one message to each waiting request in turn. */
  pump(now: number): void {
    while (this.waiters.length > 0) {
      const waiter = this.waiters.shift()
      if (waiter === undefined || !waiter.isAlive()) continue
      const delivery = this.next(now)
      if (delivery === undefined) {
        this.waiters.unshift(waiter)
        return
      }
      waiter.left--
      if (waiter.left > 0) this.waiters.push(waiter)
      waiter.deliver(delivery)
      if (waiter.left === 0) waiter.end("filled")
    }
  }

  /** When the next un-acked message is due; undefined if none is, or nobody waits for it. */
  nextDueAt(): number | undefined {
    return this.isWaitedFor ? this.dropStale()?.at : undefined
  }

  settle(seq: number, kind: AckKind, now: number): void {
    const entry = this.unacked.get(seq)
    if (entry === undefined) return
    if (kind === "ack" || kind === "term") this.unacked.delete(seq)
    else if (kind === "working") this.schedule(seq, entry, now + this.ackWaitMillis)
    else this.schedule(seq, entry, now + Math.max(0, kind.nakDelayMillis))
  }

  private get ackWaitMillis(): number {
    return (this.config.ackWaitSeconds ?? defaultAckWaitSeconds) * 1_000
  }

  private next(now: number): WireDelivery | undefined {
    return this.nextRedelivery(now) ?? this.nextNew(now)
  }

  private nextRedelivery(now: number): WireDelivery | undefined {
    for (let first = this.dropStale(); first !== undefined && first.at <= now; first = this.dropStale()) {
      this.due.shift()
      const entry = this.unacked.get(first.seq)
      const message = this.stream.at(first.seq)
      if (entry === undefined || message === undefined) {
        this.unacked.delete(first.seq)
        continue
      }
      entry.deliveries++
      this.schedule(first.seq, entry, now + this.ackWaitMillis)
      return this.deliver(message, entry.deliveries)
    }
    return undefined
  }

  private nextNew(now: number): WireDelivery | undefined {
    const explicit = this.config.ack === "explicit"
    if (explicit && this.unacked.size >= (this.config.maxAckPending ?? defaultMaxAckPending)) return undefined
    const message = this.stream.next(this.filter, this.nextSeq)
    this.nextSeq = (message?.seq ?? this.stream.lastSeq) + 1
    if (message === undefined) return undefined
    this.pending--
    if (explicit) {
      const entry: Unacked = { deliveries: 1, dueAt: 0 }
      this.unacked.set(message.seq, entry)
      this.schedule(message.seq, entry, now + this.ackWaitMillis)
    }
    return this.deliver(message, 1)
  }

  private deliver(message: BusMessage, deliveries: number): WireDelivery {
    const deliverySeq = ++this.deliverySeq
    const { pending } = this
    const consumer = this.config.name
    const { stream, seq, time } = message
    const reply = formatAckSubject({ stream, consumer, deliveries, seq, deliverySeq, time, pending })
    const data = this.config.headersOnly === true ? new Uint8Array() : message.data
    return { ...message, data, deliveries, reply, deliverySeq, pending }
  }

  private schedule(seq: number, entry: Unacked, at: number): void {
    entry.dueAt = at
    let [low, high] = [0, this.due.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.due[middle]?.at ?? 0) <= at) low = middle + 1
      else high = middle
    }
    this.due.splice(low, 0, { at, seq })
  }

  private dropStale() {
    while (this.due[0] !== undefined && this.unacked.get(this.due[0].seq)?.dueAt !== this.due[0].at) this.due.shift()
    return this.due[0]
  }
}
