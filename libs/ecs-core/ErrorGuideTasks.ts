import type { ErrorGuide } from "./ErrorGuide.ts"
import type { ErrorCode } from "./errors.ts"

const notRepeated = "No. Request the run again."
const ifTimedOut = "Only if `retry.onOutcomes` has `timed_out`."
const ifCrashed = "Only if `retry.onOutcomes` has `crashed`."
const beforeItRan =
  "Before the program ran, by `retry.platformAttempts`; after that only if `retry.onOutcomes` has `crashed`."
const ifPassing =
  "Where the cause passes by itself, by `retry.platformAttempts`; else only if `retry.onOutcomes` has `crashed`."
const crashed = "`crashed`"

/** Codes of requests that cannot be read, of deadlines and cancels, and of how tasks end. */
export const taskGuides = {
  InvalidRequest: {
    title: "The request has fields that do not fit",
    cause: "Fields are unknown, of a wrong type, out of range, or exclude each other. Each problem names its field.",
    cure: [
      "Correct every problem listed: they are all there at once.",
      "Check a request without running it: `fleet run --dry-run …`; the schema is docs/schemas/run.requested.json."
    ],
    retried: "No. Request the corrected run; the same run id needs the same body.",
    ends: "`rejected`"
  },
  InvalidJson: {
    title: "The request is no JSON object",
    cause: "The body of `run.requested` cannot be parsed.",
    cure: ['Publish one JSON object in UTF-8, such as `{"image":"alpine","command":["echo","hello"]}`.'],
    retried: "No. Request the corrected run.",
    ends: "`rejected`"
  },
  Cancelled: {
    title: "Somebody cancelled the run",
    cause: "A `run.cancel` came before the program ended: from `fleet stop`, Ctrl-C in `fleet run`, or a producer.",
    cure: ["Request it again if it is still wanted."],
    retried: "No: a cancel is final.",
    ends: "`cancelled`"
  },
  OutcomeUnknown: {
    title: "What became of the task cannot be found out",
    cause:
      "ECS no longer knows the task, or the launcher was away for longer than ECS keeps the token of a launch. The program may have run.",
    cure: [
      "Check what the program did: `fleet logs <runId>`, and the task in CloudTrail (RunTask).",
      "Request the run again if that is safe."
    ],
    retried: "Only with `retry.rerunUnknown`: the program might run twice.",
    ends: crashed
  },
  LaunchTimeout: {
    title: "The launch was not possible in time",
    cause:
      "ECS launched nothing until `launchTimeoutSeconds` had passed. The message ends with what the last try said.",
    cure: [
      "Follow the advice for that: it is mostly capacity, a quota or credentials.",
      "Raise `launchTimeoutSeconds` to wait for longer."
    ],
    retried: "It was, until the deadline. Another attempt follows only if `retry.onOutcomes` has `timed_out`.",
    ends: "`timed_out`, phase `launch`"
  },
  StartTimeout: {
    title: "The task did not get to run in time",
    cause: "ECS accepted the task, and it did not reach RUNNING within `taskStartTimeoutSeconds`. It was stopped.",
    cure: [
      "See where the time went: `fleet describe <runId>`.",
      "A large image, a subnet without a way to the registry, or a capacity provider that must first start instances take long.",
      "Raise `taskStartTimeoutSeconds`."
    ],
    retried: ifTimedOut,
    ends: "`timed_out`, phase `start`"
  },
  RunTimeout: {
    title: "The program ran longer than allowed",
    cause: "It was still running after `runTimeoutSeconds`, and was stopped.",
    cure: ["See what it was doing: `fleet logs <runId>`.", "Raise `runTimeoutSeconds`."],
    retried: ifTimedOut,
    ends: "`timed_out`, phase `run`"
  },
  ImagePullFailed: {
    title: "The image cannot be pulled",
    cause:
      "Its name or tag does not exist, the execution role may not pull it, or the subnets do not reach the registry.",
    cure: [
      "Check name, tag and platform: `docker manifest inspect <image>`.",
      "Let the execution role pull from ECR (AmazonECSTaskExecutionRolePolicy).",
      "In a private subnet, provide NAT or endpoints for ECR and S3; in a public one, `assignPublicIp` ENABLED."
    ],
    retried: ifPassing,
    ends: crashed
  },
  ProgramNotFound: {
    title: "The program is not in the image",
    cause: "The first word of the command is no executable file in the image.",
    cure: [
      "Check the command: each word is one element of `command`.",
      "Look into the image: `docker run --rm --entrypoint ls <image> -l /usr/local/bin`."
    ],
    retried: ifCrashed,
    ends: crashed
  },
  TaskFailedToStart: {
    title: "The task failed before its program started",
    cause: "ECS could not prepare the task. The message carries its reason.",
    cure: [
      "Read the reason; `fleet describe <runId>` shows the task's times.",
      "Secrets, log groups, volumes and network interfaces are what is mostly missing."
    ],
    retried: ifPassing,
    ends: crashed
  },
  OutOfMemory: {
    title: "The program used more memory than it had",
    cause: "The kernel killed the container at its memory limit.",
    cure: ["Raise `memory`."],
    retried: "Within `retry.attempts`, which is 0 by default; with the same memory.",
    ends: "`failed`"
  },
  SpotInterrupted: {
    title: "AWS took the Spot capacity back",
    cause: "Fargate Spot and Spot instances are interrupted with two minutes' notice.",
    cure: ["Request it again.", "Use `launchType` FARGATE for runs that must not be interrupted."],
    retried: beforeItRan,
    ends: crashed
  },
  HostTerminated: {
    title: "The host of the task went away",
    cause: "AWS retired or lost the machine, or an ECS service stopped the task.",
    cure: ["Request it again."],
    retried: beforeItRan,
    ends: crashed
  },
  StoppedExternally: {
    title: "Somebody outside the fleet stopped the task",
    cause: "StopTask was called in AWS itself; the message carries the reason that was given.",
    cure: [
      "See who it was: `aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=StopTask`.",
      "Request it again if it is still wanted."
    ],
    retried: notRepeated,
    ends: "`cancelled`"
  },
  ExitCodeMissing: {
    title: "The container left no exit code",
    cause: "ECS stopped the task and does not say how its program ended: mostly the infrastructure ended it.",
    cure: ["See its last lines: `fleet logs <runId>`.", "Request it again."],
    retried: beforeItRan,
    ends: "`crashed`, exit code −1"
  },
  ProgramFailed: {
    title: "The program ended with a failure",
    cause:
      "Its exit code is not 0. 126 and 127 mean that a command was not found or not executable, 137 that it was killed.",
    cure: ["Look at its output: `fleet logs <runId>`."],
    retried: "Within `retry.attempts`, which is 0 by default.",
    ends: "`failed`, with the program's exit code"
  },
  InfrastructureInvalid: {
    title: "What was to be stopped is no infrastructure id",
    cause: "`infrastructure` of `run.cancel` has no `::`, or no cluster before it, or no ARN of a task behind it.",
    cure: [
      "Give `<cluster>::<task ARN>`; the cluster is a name or an ARN.",
      "Or stop the run by its id: `fleet stop <runId>`."
    ],
    retried: "No. Ask again.",
    ends: ""
  },
  InfrastructureNotAvailable: {
    title: "The task is in another cluster than was said",
    cause:
      "The cluster of an infrastructure id is not the one in which the fleet launched the task. Nothing was stopped.",
    cure: [
      "See where the task is: `fleet describe <runId>`.",
      "Ask again with that cluster, or stop the run by its id: `fleet stop <runId>`."
    ],
    retried: "No. Ask again.",
    ends: ""
  },
  ClusterHasNoTasks: {
    title: "Nothing runs in the cluster",
    cause: "A task was to be stopped in a cluster in which ECS has none that is pending or running.",
    cure: [
      "Nothing, if it was to stop: it has.",
      "Else look for it: `aws ecs list-tasks --cluster <cluster> --desired-status STOPPED`."
    ],
    retried: "No. Ask again.",
    ends: ""
  },
  InternalError: {
    title: "The fleet met an error of its own",
    cause: "A message could not be handled. Its original is kept on `dead.<service>.<runId>`.",
    cure: [
      "See it and why: `fleet dead ls`, then `fleet dead show <letter>`.",
      "Request the run again, and report the error."
    ],
    retried: "A few times within the service, before it was given up.",
    ends: crashed
  }
} as const satisfies Partial<Record<ErrorCode, ErrorGuide>>
