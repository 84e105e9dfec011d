/** How the handling of a message ended. */
export type Verdict = Ack | Nak | Dead

/** Done: the message is not handed out again. */
export interface Ack {
  readonly _tag: "Ack"
}

/** Not now: the message is handed out again, to any replica, after the delay. */
export interface Nak {
  readonly _tag: "Nak"
  readonly delayMillis: number
}

/** It can never be handled: a copy with the reason goes to the dead letters, the message is not handed out again. */
export interface Dead {
  readonly _tag: "Dead"
  readonly reason: string
}

const ack: Verdict = { _tag: "Ack" }

export const Verdict = {
  ack,
  nak: (delayMillis: number): Verdict => ({ _tag: "Nak", delayMillis }),
  dead: (reason: string): Verdict => ({ _tag: "Dead", reason })
}
