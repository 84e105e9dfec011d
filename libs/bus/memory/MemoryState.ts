import { type Clock, Latch } from "effect"
import { parseAckSubject } from "#bus/wire/ackSubject.ts"
import { type AckKind, type WireConsumer, WireError, type WirePublish, type WireStream } from "#bus/wire/Wire.ts"
import { MemoryConsumer, type Waiter } from "./MemoryConsumer.ts"
import { MemoryStream } from "./MemoryStream.ts"

interface Entry {
  readonly stream: MemoryStream
  readonly consumers: Map<string, MemoryConsumer>
}

const missing = (what: string) => new WireError({ fault: "missing", message: `${what} not found` })
const exists = (what: string) =>
  new WireError({ fault: "exists", message: `${what} already in use with a different configuration` })

/** Streams and consumers of the in-memory server. Every change opens `changed`, on which deliveries wait. */
export class MemoryState {
  readonly changed = Latch.makeUnsafe()
  private readonly clock: Clock.Clock
  private readonly entries = new Map<string, Entry>()

  constructor(clock: Clock.Clock) {
    this.clock = clock
  }

  get now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  publish(p: WirePublish): { readonly seq: number; readonly duplicate: boolean } | WireError {
    const entry = [...this.entries.values()].find(({ stream }) => stream.takes(p.subject))
    if (entry === undefined) return new WireError({ fault: "transient", message: `no stream takes ${p.subject}` })
    const stored = entry.stream.store(p, this.now)
    if (stored instanceof WireError || stored.duplicate) return stored
    const message = entry.stream.at(stored.seq)
    if (message !== undefined) for (const consumer of entry.consumers.values()) consumer.stored(message)
    this.changed.openUnsafe()
    return stored
  }

  stream(name: string): MemoryStream | WireError {
    const entry = this.entries.get(name)
    entry?.stream.expire(this.now)
    return entry?.stream ?? missing(`stream ${name}`)
  }

  createStream(config: WireStream): WireError | undefined {
    const entry = this.entries.get(config.name)
    if (entry !== undefined) return same(entry.stream.config, config) ? undefined : exists(`stream ${config.name}`)
    const consumers = new Map<string, MemoryConsumer>()
    const stream = new MemoryStream(config, (message) => {
      for (const consumer of consumers.values()) consumer.removed(message)
    })
    this.entries.set(config.name, { stream, consumers })
    return undefined
  }

  updateStream(config: WireStream): WireError | undefined {
    const entry = this.entries.get(config.name)
    if (entry === undefined) return missing(`stream ${config.name}`)
    entry.stream.update(config)
    return undefined
  }

  consumer(stream: string, name: string): MemoryConsumer | undefined {
    return this.consumersOf(stream).find(({ config }) => config.name === name)
  }

  /** Those that exist now: a consumer in memory goes when nobody has pulled for its time. */
  consumersOf(stream: string): ReadonlyArray<MemoryConsumer> {
    const consumers = this.entries.get(stream)?.consumers ?? new Map<string, MemoryConsumer>()
    for (const [name, consumer] of consumers) if (isForgotten(consumer, this.now)) consumers.delete(name)
    return [...consumers.values()]
  }

  createConsumer(streamName: string, config: WireConsumer): WireError | undefined {
    const entry = this.entries.get(streamName)
    if (entry === undefined) return missing(`stream ${streamName}`)
    const known = this.consumer(streamName, config.name)
    if (known !== undefined) return same(known.config, config) ? undefined : exists(`consumer ${config.name}`)
    entry.stream.expire(this.now)
    entry.consumers.set(config.name, new MemoryConsumer(entry.stream, config, this.now))
    return undefined
  }

  updateConsumer(stream: string, config: WireConsumer): WireError | undefined {
    const consumer = this.consumer(stream, config.name)
    if (consumer === undefined) return missing(`consumer ${config.name}`)
    consumer.update(config)
    this.changed.openUnsafe()
    return undefined
  }

  deleteConsumer(stream: string, name: string): WireError | undefined {
    const consumer = this.consumer(stream, name)
    if (consumer === undefined) return missing(`consumer ${name}`)
    this.entries.get(stream)?.consumers.delete(name)
    consumer.breakOff()
    return undefined
  }

  wait(stream: string, name: string, waiter: Waiter): MemoryConsumer | undefined {
    const consumer = this.consumer(stream, name)
    consumer?.wait(waiter, this.now)
    this.changed.openUnsafe()
    return consumer
  }

  settle(reply: string, kind: AckKind): void {
    const ack = parseAckSubject(reply)
    if (ack === undefined) return
    this.consumer(ack.stream, ack.consumer)?.settle(ack.seq, kind, this.now)
    this.changed.openUnsafe()
  }

  /** Hands out everything that can be handed out; returns when the next un-acked message is due. */
  pump(): number | undefined {
    const now = this.now
    let next: number | undefined
    for (const { stream, consumers } of this.entries.values()) {
      stream.expire(now)
      for (const consumer of consumers.values()) {
        consumer.pump(now)
        const dueAt = consumer.nextDueAt()
        if (dueAt !== undefined && (next === undefined || dueAt < next)) next = dueAt
      }
    }
    return next
  }

  restart(): void {
    for (const { consumers } of this.entries.values())
      for (const [name, consumer] of consumers) {
        consumer.breakOff()
        if (!consumer.config.durable) consumers.delete(name)
      }
  }
}

const isForgotten = ({ config, lastPullAt, isWaitedFor }: MemoryConsumer, now: number): boolean =>
  !isWaitedFor && config.inactiveSeconds !== undefined && lastPullAt + config.inactiveSeconds * 1_000 < now

const same = (a: object, b: object): boolean =>
  JSON.stringify(Object.entries(a).toSorted()) === JSON.stringify(Object.entries(b).toSorted())
