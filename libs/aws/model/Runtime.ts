import { Context, type Effect, Layer, Schema, type Scope } from "effect"
import { startSimulated } from "./simulated.ts"

/** One container that a task asks for, after the overrides of RunTask are applied. */
export interface ContainerSpec {
  readonly taskArn: string
  readonly containerName: string
  readonly image: string
  /** entryPoint and command, in this order. */
  readonly command: ReadonlyArray<string>
  /** The first words of `command` that take the place of the image's own entry point; absent = it stays in force. */
  readonly entryPoint?: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string>>
  readonly user?: string
  readonly workingDirectory?: string
  readonly hasReadonlyRootFilesystem?: boolean
  readonly limits?: ContainerLimits
  readonly essential: boolean
  readonly stopTimeoutSeconds: number
  /** It starts only when all of these hold, and is stopped before the containers that they name. */
  readonly dependsOn?: ReadonlyArray<Dependency>
  /** Containers that wait for more than its start give up so long after it. */
  readonly startTimeoutSeconds?: number
  readonly healthCheck?: HealthCheck
  /** Where the output goes with the `awslogs` driver; absent = nowhere. */
  readonly logs?: LogLocation
}

/** What a container may use; absent = no limit. */
export interface ContainerLimits {
  /** The task's CPU units, of which none of its containers may use more; 1024 = one vCPU. */
  readonly taskCpuUnits?: number
  /** The container's share where CPU is short. */
  readonly cpuUnits?: number
  /** With more than this it is killed: its own limit or the task's, whichever is lower. */
  readonly memoryMiB?: number
  readonly memoryReservationMiB?: number
}

export interface Dependency {
  readonly containerName: string
  /** It runs, has ended, has ended with 0, is healthy. */
  readonly condition: "START" | "COMPLETE" | "SUCCESS" | "HEALTHY"
}

/** Docker's: a command that is run in the container again and again. */
export interface HealthCheck {
  /** Exit code 0 = healthy. */
  readonly command: ReadonlyArray<string>
  readonly intervalSeconds: number
  readonly timeoutSeconds: number
  /** So many failures in a row, and the container is unhealthy. */
  readonly retries: number
  /** Failures so soon after the start do not count. */
  readonly startPeriodSeconds: number
}

export interface LogLocation {
  readonly region: string
  readonly group: string
  readonly stream: string
  /** `awslogs-create-group`: a missing group is made; without it the task fails to start. */
  readonly createGroup: boolean
}

export interface ContainerExit {
  readonly exitCode: number
  /** As ECS shows it on the container, e.g. `OutOfMemoryError: Container killed due to memory usage`. */
  readonly reason?: string
}

/** A container that runs. */
export interface Started {
  /** Ends when the container has ended; may be awaited any number of times. */
  readonly exit: Effect.Effect<ContainerExit>
  /** SIGTERM, then SIGKILL after the stop timeout; returns once asked, `exit` tells the end. */
  readonly stop: Effect.Effect<void>
  /** Runs a command inside it and gives the exit code; absent = its health check is a program beside it. */
  readonly execute?: (command: ReadonlyArray<string>) => Effect.Effect<number, RuntimeRefused>
}

/** The container did not start. `reason` begins with ECS's own class, e.g. `CannotPullContainerError: …`. */
export class RuntimeRefused extends Schema.TaggedError<RuntimeRefused>()("RuntimeRefused", {
  reason: Schema.String,
  exitCode: Schema.optionalKey(Schema.Int)
}) {
  override get message() {
    return this.reason
  }
}

/** What really runs a container. Closing the scope must end the container at once. */
export class Runtime extends Context.Service<
  Runtime,
  {
    /** `output` takes one line without its line end, and never fails. */
    readonly start: (
      spec: ContainerSpec,
      output: (line: string) => void
    ) => Effect.Effect<Started, RuntimeRefused, Scope.Scope>
  }
>()("aws/model/Runtime") {
  /** Runs nothing: reads the command (`parseSimulation`) and lets the time pass. */
  static readonly layerSimulated = Layer.succeed(Runtime, { start: startSimulated })
}
