import { spawn } from "node:child_process"
import { Context, Effect, Layer } from "effect"

/**
 * Children must not outlive the server, not even when it is killed with SIGKILL and no finalizer runs. One small shell
 * per server reads from a pipe which process groups are alive; the pipe closes when the server is gone, however it
 * went, and the shell kills what is left. It lives in its own session, so that a Ctrl-C at the terminal or a kill of
 * the server's process group does not take it along. A program that leaves its process group (setsid) escapes.
 */
export class Watchdog extends Context.Service<
  Watchdog,
  {
    /** From now on the group dies with the server. */
    readonly guard: (processGroup: number) => void
    /** The group has ended: its number may be given to somebody else. */
    readonly release: (processGroup: number) => void
  }
>()("local-aws/Watchdog") {
  static readonly layer = Layer.effect(
    Watchdog,
    Effect.suspend(() => open)
  )
}

const script = `
while read -r what group; do
  case $what in
    guard) eval "group_$group=1" ;;
    release) unset "group_$group" ;;
  esac
done
set | sed -n 's/^group_\\([0-9][0-9]*\\)=.*/\\1/p' | while read -r group; do
  kill -s KILL -- "-$group" 2>/dev/null
done
exit 0
`

const open = Effect.acquireRelease(
  Effect.sync(() => {
    const shell = spawn("/bin/sh", ["-c", script], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" }
    })
    shell.on("error", () => {})
    shell.stdin.on("error", () => {})
    shell.unref()
    return shell
  }),
  (shell) => Effect.sync(() => shell.stdin.end())
).pipe(
  Effect.map((shell) => {
    const say = (what: string) => (processGroup: number) => {
      if (shell.stdin.writable) shell.stdin.write(`${what} ${processGroup}\n`)
    }
    return Watchdog.of({ guard: say("guard"), release: say("release") })
  })
)
