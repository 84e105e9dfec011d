import { execFile } from "node:child_process"
import { closeSync, constants, openSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Context, Effect, Layer, Schema, Semaphore } from "effect"

/**
 * One real pipe for both stdout and stderr. Node gives a child two socket pairs: the order of the two is then a matter
 * of luck, and `echo hint > /dev/stderr` fails because sockets cannot be opened by name. A FIFO whose name is removed
 * at once has neither problem. `mkfifo` makes a batch of them per call, because starting it costs more than the rest.
 */
export interface Pipe {
  /** What the child writes into; close it as soon as the child has it, or the end of its output is never seen. */
  readonly writeEnd: number
  readonly closeWriteEnd: () => void
  readonly reader: Socket
}

/** No pipe could be made, as a rule because the process is out of file descriptors. */
export class PipeUnavailable extends Schema.TaggedError<PipeUnavailable>()("PipeUnavailable", {
  cause: Schema.Defect()
}) {
  override get message() {
    const why = this.cause instanceof Error ? this.cause.message : String(this.cause)
    return `no pipe for its output (${why}): local-aws needs the command mkfifo, and open files left (ulimit -n)`
  }
}

export class Pipes extends Context.Service<Pipes, { readonly take: Effect.Effect<Pipe, PipeUnavailable> }>()(
  "local-aws/Pipes"
) {
  static readonly layer = Layer.effect(
    Pipes,
    Effect.suspend(() => make)
  )
}

/** FIFOs made by one call of `mkfifo`, and thus pipes kept open for programs to come. */
const batch = 8

interface Ends {
  readonly readEnd: number
  readonly writeEnd: number
}

const mkfifo = (names: ReadonlyArray<string>): Promise<void> =>
  new Promise((resolve, reject) => {
    execFile("mkfifo", ["-m", "600", ...names], (error) => (error === null ? resolve() : reject(error)))
  })

const openEnds = (name: string): Ends => {
  // The reader first and without blocking: opening the write end of a FIFO nobody reads would wait for ever.
  const readEnd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    return { readEnd, writeEnd: openSync(name, constants.O_WRONLY) }
  } catch (error) {
    closeSync(readEnd)
    throw error
  }
}

const closeEnds = ({ readEnd, writeEnd }: Ends): void => {
  closeSync(readEnd)
  closeSync(writeEnd)
}

/** Adds new pipes to `ready`. The names are gone from the disk before this ends, whatever happens. */
const refill = async (ready: Array<Ends>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "local-aws-"))
  try {
    const names = Array.from({ length: batch }, (_, i) => join(folder, String(i)))
    await mkfifo(names)
    for (const name of names) ready.push(openEnds(name))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const pipeOf = ({ readEnd, writeEnd }: Ends): Pipe => {
  let open = true
  const closeWriteEnd = () => {
    if (open) closeSync(writeEnd)
    open = false
  }
  return { writeEnd, closeWriteEnd, reader: new Socket({ fd: readEnd, readable: true, writable: false }) }
}

const make = Effect.gen(function* () {
  const oneAtATime = yield* Semaphore.make(1)
  const ready = yield* Effect.acquireRelease(
    Effect.sync((): Array<Ends> => []),
    (ready) => Effect.sync(() => ready.splice(0).forEach(closeEnds))
  )
  const next = async () => {
    if (ready.length === 0) await refill(ready)
    const ends = ready.pop()
    if (ends === undefined) throw new Error("mkfifo made nothing")
    return pipeOf(ends)
  }
  const take = Effect.tryPromise({ try: next, catch: (cause) => new PipeUnavailable({ cause }) })
  return Pipes.of({ take: Semaphore.withPermit(oneAtATime, Effect.uninterruptible(take)) })
})
