import { Buckets } from "#bus/Bucket.ts"
import { BucketNames } from "#ecs-core/Subjects.ts"

/** The bucket of the runs' records. */
export const openRuns = Buckets.use((buckets) => buckets.open(BucketNames.runs))
