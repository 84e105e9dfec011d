import { type Instant, millisOf } from "#ecs-core/Instant.ts"

/** How long ago, in the largest unit that fits, as `docker ps` and `kubectl get` have it: `8s`, `5m`, `3h`, `12d`. */
export const age = (since: Instant, nowMillis: number): string => {
  const seconds = Math.max(0, Math.floor((nowMillis - millisOf(since)) / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** A length of time for people: `0.4 s`, `42 s`, `3 min 20 s`, `2 h 5 min`. */
export const lengthOf = (millis: number): string => {
  const seconds = Math.max(0, millis) / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

export const between = (from: Instant, to: Instant): string => lengthOf(millisOf(to) - millisOf(from))
