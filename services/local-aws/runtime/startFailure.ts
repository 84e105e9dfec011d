import type { ContainerSpec } from "#aws/model/Runtime.ts"

/** What `spawn` says: a system error, or any other. */
export interface StartError {
  readonly code?: string | undefined
  readonly message: string
}

/**
 * Why a program did not start, in the words of ECS on Fargate platform 1.4.0 (Docker's are the same from `runc` on).
 * The container never ran, so ECS reports no exit code: 126 and 127 come from shells that looked for a program, not
 * from ECS.
 */
export const startFailure = (program: string, error: StartError): string =>
  `${couldNotCreate}${whyNot(program, error)}: unknown`

const couldNotCreate =
  "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: " +
  "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "

const whyNot = (program: string, error: StartError): string => {
  const exec = `exec: "${program}"`
  switch (error.code) {
    case "ENOENT":
      return program.includes("/")
        ? `${exec}: stat ${program}: no such file or directory`
        : `${exec}: executable file not found in $PATH`
    case "EACCES":
      return `${exec}: permission denied`
    case "ENOEXEC":
      return `exec ${program}: exec format error`
    case "E2BIG":
      return `exec ${program}: argument list too long`
    default:
      return `${exec}: ${error.message}`
  }
}

/** With Docker the image would say what to run; here nobody knows. */
export const noCommand = (spec: Pick<ContainerSpec, "containerName" | "image">): string =>
  `CannotStartContainerError: container "${spec.containerName}" has no command, and local-aws runs commands as ` +
  `processes without looking into the image ${spec.image}: set command (or entryPoint) in the task definition or in ` +
  "the overrides of RunTask"
