/** What was looked at, and what was found. */
export interface Finding {
  /** A few words: the kind of thing, such as `cluster`. */
  readonly check: string
  /** Which of them; absent = there is one. */
  readonly subject?: string
  /** `SKIP`: nobody can tell, and `says` tells why. */
  readonly verdict: "OK" | "NG" | "SKIP"
  readonly says: string
  /** What to do; there for every `NG`. */
  readonly fix?: string
}

/** What is looked at: the part of a finding that is known before. */
export type Looked = Pick<Finding, "check" | "subject">

export const ok = (looked: Looked, says: string): Finding => ({ ...looked, verdict: "OK", says })
export const ng = (looked: Looked, says: string, fix: string): Finding => ({ ...looked, verdict: "NG", says, fix })
export const skipped = (looked: Looked, says: string): Finding => ({ ...looked, verdict: "SKIP", says })
