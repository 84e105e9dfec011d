import { Command } from "effect/cli"
import { auth } from "./auth.ts"
import { dead } from "./dead.ts"
import { describe } from "./describe.ts"
import { drain } from "./drain.ts"
import { explain } from "./explain.ts"
import { init } from "./init.ts"
import { logs } from "./logs.ts"
import { pool } from "./pool.ts"
import { ps } from "./ps.ts"
import { rebuild } from "./rebuild.ts"
import { run } from "./run.ts"
import { stop } from "./stop.ts"
import { up } from "./up.ts"
import { verify } from "./verify.ts"

export const root = Command.make("fleet").pipe(
  Command.withDescription("Run containers on AWS ECS like jobs: one message in, live logs and an exit code out"),
  Command.withSubcommands([up, run, logs, ps, describe, explain, stop, pool, drain, dead, rebuild, init, auth, verify]),
  Command.withExamples([
    { command: "fleet run --local -- echo hello", description: "try it: needs no set-up and no AWS account" },
    { command: "fleet up", description: "start everything on this machine" },
    {
      command: "fleet run --image alpine -- sh -c 'echo hello; exit 3'",
      description: "run a program, end with its code"
    }
  ])
)
