import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { codeOnly, withoutComments } from "#test/tidy/code.ts"

/**
 * What the policies in deploy/iam allow is what the code calls: each way round. Who calls what is read from the code: the
 * modules that an identity's own entry leads to, and in them the methods of the ports. What a port's method calls in AWS
 * stands in a table here, which must have every command of the SDK that the code makes.
 */

const root = process.cwd()
const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** IAM's name for what a port's method calls; more than one, where AWS asks for rights to what the call brings with it. */
const actionsOf: Readonly<Record<string, ReadonlyArray<string>>> = {
  "ecs.registerTaskDefinition": ["ecs:RegisterTaskDefinition", "ecs:TagResource", "iam:PassRole"],
  "ecs.describeTaskDefinition": ["ecs:DescribeTaskDefinition"],
  "ecs.deregisterTaskDefinition": ["ecs:DeregisterTaskDefinition"],
  "ecs.describeCluster": ["ecs:DescribeClusters"],
  "ecs.runTask": ["ecs:RunTask", "ecs:TagResource", "iam:PassRole"],
  "ecs.describeTasks": ["ecs:DescribeTasks"],
  "ecs.listTasks": ["ecs:ListTasks"],
  "ecs.listRunning": ["ecs:ListTasks"],
  "ecs.stopTask": ["ecs:StopTask"],
  "network.describe": ["ec2:DescribeVpcs", "ec2:DescribeSubnets"],
  "network.refresh": ["ec2:DescribeVpcs", "ec2:DescribeSubnets"],
  "logs.read": ["logs:FilterLogEvents"],
  "inventory.subnets": ["ec2:DescribeSubnets"],
  "inventory.hasLogGroup": ["logs:DescribeLogGroups"],
  "inventory.role": ["iam:GetRole"],
  readS3Object: ["s3:GetObject"]
}

/** Rights that belong to a call without being one. */
const BROUGHT = new Set(["iam:PassRole", "ecs:TagResource"])

/** Which file of libs/aws a port's methods are declared in. */
const ports = { ecs: "Ecs", network: "Ec2Network", logs: "ContainerLogs", inventory: "Inventory" } as const

interface Identity {
  readonly entry: string
  /** Its own policy, and those for what not everybody uses. */
  readonly policies: ReadonlyArray<string>
}

const identities: Readonly<Record<string, Identity>> = {
  dispatcher: { entry: "services/dispatcher/handle.ts", policies: ["dispatcher", "pools-in-s3"] },
  launcher: { entry: "services/launcher/handle.ts", policies: ["launcher"] },
  watcher: { entry: "services/watcher/handle.ts", policies: ["watcher"] },
  "log-streamer": { entry: "services/log-streamer/handle.ts", policies: ["log-streamer"] },
  operator: { entry: "cli/verify.ts", policies: ["operator"] }
}

/** The ports themselves, and what stands between them and their callers. */
const isPort = (path: string): boolean =>
  /^libs\/aws\/(Aws|Ecs|ecsCalls|Ec2Network|ContainerLogs|Inventory|gate\/gatedPorts)\.ts$/.test(path) ||
  path.startsWith("libs/aws/model/")

const { imports } = JSON.parse(read("package.json")) as { imports: Record<string, string> }
const folders = Object.entries(imports).map(([alias, path]) => [alias.slice(0, -1), path.slice(2, -1)] as const)

const resolved = (from: string, name: string): string | undefined => {
  if (name.startsWith("./")) return join(dirname(from), name)
  const folder = folders.find(([alias]) => name.startsWith(alias))
  return folder === undefined ? undefined : folder[1] + name.slice(folder[0].length)
}

/** Everything that a module leads to, itself included; ports are not entered. Types lead nowhere. */
const reached = (entry: string, known = new Set<string>()): ReadonlySet<string> => {
  if (known.has(entry) || isPort(entry)) return known
  known.add(entry)
  const text = withoutComments(read(entry)).replaceAll(/^import type .*$/gm, "")
  for (const [, name = ""] of text.matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+\.ts)"/g)) {
    const path = resolved(entry, name)
    if (path !== undefined) reached(path, known)
  }
  return known
}

const methodsOf = (port: keyof typeof ports): ReadonlyArray<string> =>
  Object.keys(actionsOf).flatMap((each) => (each.startsWith(`${port}.`) ? [each.slice(port.length + 1)] : []))

/** Methods of ports that a text uses, by the port's usual name (`ecs.runTask`) or taken out of it (`{ runTask } = yield* Ecs`). */
const usesIn = (text: string): ReadonlyArray<string> => {
  const code = codeOnly(text)
  return [
    ...(/\breadS3Object\(/.test(code) ? ["readS3Object"] : []),
    ...(Object.keys(ports) as Array<keyof typeof ports>).flatMap((port) => {
      const isImported = new RegExp(`/(${ports[port]})\\.ts"`).test(text) || new RegExp(`\\b${port}\\b`).test(code)
      if (!isImported) return []
      const named = [...code.matchAll(new RegExp(`\\b${port}\\s*\\.\\s*(\\w+)\\(`, "g"))].map(
        ([, method = ""]) => method
      )
      const taken = methodsOf(port).filter((method) =>
        new RegExp(`\\{[^{}]*\\b${method}\\b[^{}]*\\}[^\\n]*=[^\\n]*\\b${ports[port]}\\b`).test(code)
      )
      return [...named, ...taken]
        .filter((method) => methodsOf(port).includes(method))
        .map((method) => `${port}.${method}`)
    })
  ]
}

const callsOf = ({ entry }: Identity): ReadonlySet<string> => {
  // The gate stands before every call of a service, and probes.
  const modules = [...reached(entry), ...(entry.startsWith("services/") ? ["libs/aws/gate/Gate.ts"] : [])]
  return new Set(modules.flatMap((path) => usesIn(read(path))).flatMap((use) => actionsOf[use] ?? []))
}

interface Statement {
  readonly Sid: string
  readonly Effect: string
  readonly Action: string | ReadonlyArray<string>
  readonly Resource?: string | ReadonlyArray<string>
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

const statementsOf = (policy: string): ReadonlyArray<Statement> =>
  (JSON.parse(read(`deploy/iam/${policy}.json`)) as { Statement: ReadonlyArray<Statement> }).Statement

const allowedBy = (policies: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(policies.flatMap(statementsOf).flatMap(({ Action }) => Action))
]

const files = readdirSync(join(root, "deploy/iam")).filter((name) => name.endsWith(".json"))
const policyNames = files.map((name) => name.slice(0, -".json".length))

describe("policies", () => {
  it.each(Object.entries(identities))("of the %s allow what it calls, and nothing more", (_, identity) => {
    assert.sameMembers([...allowedBy(identity.policies)], [...callsOf(identity)])
  })

  it("allow to assume roles where the code does", () => {
    assert.include(read("libs/aws/credentials/provider.ts"), "fromTemporaryCredentials(")
    assert.deepStrictEqual(allowedBy(["assume-roles"]), ["sts:AssumeRole"])
  })

  it("of the execution role let ECS pull, write lines and make the group that our log configuration asks for", () => {
    assert.include(read("libs/ecs-core/LogPlan.ts"), '"awslogs-create-group": "true"')
    assert.sameMembers(
      [...allowedBy(["execution"])],
      [
        "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchGetImage",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents"
      ]
    )
  })

  it.each(policyNames)("%s: has statements with names, without wildcards in actions", (name) => {
    const statements = statementsOf(name)
    assert.isNotEmpty(statements)
    for (const { Action, Effect, Sid } of statements) {
      assert.match(Sid, /^[A-Za-z0-9]+$/)
      assert.strictEqual(Effect, "Allow")
      for (const action of [Action].flat()) assert.match(String(action), /^[a-z0-9]+:[A-Za-z0-9]+$/)
    }
  })

  it("pass roles to tasks alone, and tag only what is being made", () => {
    const all = policyNames.flatMap(statementsOf)
    for (const { Action, Condition } of all.filter(({ Action }) =>
      [Action].flat().some((each) => BROUGHT.has(String(each)))
    )) {
      const [key, values] =
        Action === "iam:PassRole"
          ? ["iam:PassedToService", ["ecs-tasks.amazonaws.com"]]
          : ["ecs:CreateAction", ["RunTask", "RegisterTaskDefinition"]]
      assert.include(values, Condition?.["StringEquals"]?.[String(key)], JSON.stringify(Action))
    }
  })

  it("are each named in deploy/iam/README.md, which names every placeholder", () => {
    const page = read("deploy/iam/README.md")
    for (const file of files) assert.include(page, `\`${file}\``)
    const placeholders = files.flatMap((file) => [
      ...read(`deploy/iam/${file}`).matchAll(/(?<=["/:])[A-Z_]{4,}(?=["/:*])/g)
    ])
    for (const [placeholder] of placeholders) assert.include(page, `\`${placeholder}\``)
  })
})

describe("the table of actions", () => {
  const sources = readdirSync(join(root, "libs/aws"), { recursive: true, encoding: "utf8" })
    .map((path) => `libs/aws/${path}`)
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !path.startsWith("libs/aws/model/"))

  it("has every command that the code sends", () => {
    const sent = sources.flatMap((path) =>
      [...withoutComments(read(path)).matchAll(/new (\w+)Command\(/g)].map(([, action = ""]) => action)
    )
    const listed = Object.values(actionsOf)
      .flat()
      .filter((action) => !BROUGHT.has(action))
      .map((action) => action.slice(action.indexOf(":") + 1))
    assert.sameMembers([...new Set(listed)], [...new Set(sent)])
  })

  it.each(Object.entries(ports))("has every method of the port %s", (port, file) => {
    const [declared = ""] = read(`libs/aws/${file}.ts`).match(/extends Context\.Service<.*?>\(\)\(/s) ?? []
    const methods = [...codeOnly(declared).matchAll(/^ {4}readonly (\w+): \(/gm)].map(([, method = ""]) => method)
    assert.isNotEmpty(methods)
    assert.sameMembers([...methodsOf(port as keyof typeof ports)], methods)
  })

  it("finds uses, and no others", () => {
    const text =
      'import { Ecs } from "#aws/Ecs.ts"\nfleet.ecs\n  .runTask(x)\nconst { stopTask } = yield* Ecs\n// ecs.listTasks()\n'
    assert.deepStrictEqual(usesIn(text), ["ecs.runTask", "ecs.stopTask"])
  })
})
