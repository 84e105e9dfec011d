import type { RetryClass } from "#ecs-core/errors.ts"

/** How soon AWS is asked again after it did not answer a question, by what failed; milliseconds. Meanwhile nothing is judged. Where credentials are at fault, the gate keeps who asks again. */
export const READ_AGAIN_MILLIS: Readonly<Record<RetryClass, number>> = {
  throttle: 1000,
  transient: 2000,
  capacity: 2000,
  conflict: 2000,
  inactive: 10_000,
  credentials: 1000,
  never: 10_000
}
