import { execFile } from "node:child_process"
import { join } from "node:path"
import { Effect } from "effect"
import { Skipped } from "#bench/Benchmark.ts"

const script = join(import.meta.dirname, "environment")

/** The folder of a peer's virtual environment, which is made where it is missing. */
export const environment = (name: "prefect" | "airflow"): Effect.Effect<string, Skipped> =>
  Effect.callback<string, Skipped>((resume) => {
    execFile("bash", [script, name], (error, stdout, stderr) =>
      resume(
        error === null
          ? Effect.succeed(stdout.trim())
          : Effect.fail(new Skipped({ reason: stderr.trim().split("\n").at(-1) ?? error.message }))
      )
    )
  })
