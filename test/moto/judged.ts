/**
 * What moto 5.2.5 cannot judge, by parts of tests' names, and why: there it differs from AWS, whose own words are in the
 * references named beside our model's rules. Everything else of the files listed below runs with moto in AWS's place.
 */
export const FILES = ["test/moto/*.test.ts", "test/parity/{definitions,launches,networks}.test.ts"]

export const NOT_JUDGED: ReadonlyArray<readonly [why: string, names: ReadonlyArray<string>]> = [
  [
    "runs no program: every task is RUNNING at once and ends with 0, and only its first container is told of",
    [
      "a task goes through its states and ends with its exit code",
      "twice: stopping a stopped task is no error",
      "SDK over moto: several containers"
    ]
  ],
  [
    "adds none of AWS's defaults to a definition, checks no Fargate size, and launches a deregistered revision",
    [
      "revisions count up, and AWS's defaults are read back",
      "what is read back is equal to what was sent, in whatever order",
      "twice: a revision is deregistered, and can still be described",
      "late: a deregistered revision launches no more",
      "a pair that Fargate does not have is TaskDefinitionInvalid",
      "a revision that somebody deregistered is replaced, and the run goes on"
    ]
  ],
  ["ignores client tokens", ["twice: the same token"]],
  ["knows no limit of overrides", ["overrides above 8192 characters are InvalidParameter"]],
  [
    "answers unknown tasks with nothing at all, and lists stopped ones as running",
    ["a task that never was", "a task is found by startedBy until it is stopped"]
  ],
  [
    "has no container instances unless EC2 instances are made for them",
    [
      "SDK over moto: container instances",
      "EC2 reaches ECS as it must",
      "EC2 with ",
      "EC2: network mode",
      "a definition for EC2 without a launch type goes where the cluster sends it",
      "network mode bridge: no network configuration"
    ]
  ],
  [
    "says of a stream that is missing that its group is",
    ["late: streams that do not exist yet do not hide those that do", "never: no stream exists is LogStreamNotFound"]
  ],
  [
    "cannot be made to misbehave, and has no list of all tasks that ever were: those are local-aws's",
    ["SDK over moto: logs that misbehave", "the ARN of the task is in the record and in the end"]
  ]
]

export const notJudged: ReadonlyArray<string> = NOT_JUDGED.flatMap(([, names]) => names)

/** For vitest: names of tests that moto can judge. */
export const judgedPattern = new RegExp(
  `^(?!.*(?:${notJudged.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join("|")}))`
)
