import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { AttemptKinds } from "#ecs-core/Subjects.ts"

const root = process.cwd()
const SKIPPED = new Set(["node_modules", ".git", ".cache", ".fleet"])

const filesBelow = (folder: string, ending: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesBelow(path, ending)
    return entry.name.endsWith(ending) ? [path] : []
  })

const pages = filesBelow(root, ".md").map((path) => ({
  path,
  page: relative(root, path),
  text: readFileSync(path, "utf8")
}))
const prose = (text: string): string => text.replaceAll(/^```.*?^```/gms, "")
/** GitHub's rule: lower case, punctuation gone, spaces become dashes. */
const anchorsOf = (text: string): ReadonlyArray<string> =>
  [...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-")
  )

const links = pages.flatMap(({ path, page, text }) =>
  [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => ({ path, page, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target))
)

describe("links", () => {
  it.each(links)("of $page lead somewhere: $target", ({ path, target }) => {
    const [file = "", anchor] = target.split("#")
    const found = file === "" ? path : join(dirname(path), file)
    assert.isTrue(existsSync(found), `${target} does not exist`)
    if (anchor === undefined) return
    assert.include(anchorsOf(readFileSync(found, "utf8")), anchor)
  })

  it("are there to be tested", () => {
    assert.isAbove(links.length, 20)
  })
})

/** Commands that a test runs, and which. */
const provedBy: Readonly<Record<string, string>> = {
  "node docs/schemas/generate.ts": "test/schemas.test.ts",
  "node docs/settings/generate.ts": "test/settings-page.test.ts",
  "npm ci && npm run demo": "test/flow/readme.test.ts",
  "npx fleet auth init --producer web --reader web --reader guest=nightly-1": "test/operate/auth.test.ts",
  "npm run up": "test/flow/readme.test.ts",
  "npx fleet run -- sh -c 'echo hello; exit 3'": "test/flow/readme.test.ts",
  [`curl -d '{"action":"RunTask","stop":{"stopCode":"SpotInterruption","stoppedReason":"Your Spot Task was interrupted."}}' http://127.0.0.1:4577/_fleet/faults`]:
    "services/local-aws/LocalAws.faults.test.ts",
  [`mkdir -p .fleet/aws`]: "test/getting-started.test.ts",
  [`for file in deploy/iam/*.json deploy/ecs/*.json; do sed -e "s|:REGION:|:$AWS_REGION:|g; s|\\"REGION\\"|\\"$AWS_REGION\\"|g; s|ACCOUNT|$ACCOUNT|g; s|CLUSTER|$CLUSTER|g; s|LOG_GROUP|$LOG_GROUP|g; s|\\"IMAGE\\"|\\"$IMAGE\\"|g; s|NATS_ADDRESS|$NATS_URL|g" "$file" > ".fleet/aws/$(basename "$file")"; done`]:
    "test/getting-started.test.ts",
  [`for service in dispatcher launcher watcher log-streamer; do sed -e "s|SERVICE|$service|g" .fleet/aws/service.json > ".fleet/aws/service-$service.json"; done`]:
    "test/getting-started.test.ts"
}

/** Commands that are the checks themselves, or set a shell up for them. */
const checks = new Set([
  'export PATH="$PWD/node_modules/.bin:$PATH"',
  "npm ci",
  "npm test",
  "npm ci && npm test",
  "npm run check",
  "npm run format"
])

/** Commands that measure: they take long, and say themselves whether they went well. */
const measurements = new Set(["npm run bench", "npm run bench -- hop --full", "npm run bench -- --full --check"])

/** Commands that need AWS or Docker. */
const needsMore = new Set([
  "docker compose -f deploy/compose.yml up -d --wait",
  "docker compose -f deploy/compose.yml up -d --wait --scale launcher=3",
  "docker compose -f deploy/compose.yml down --volumes",
  "docker compose -f deploy/compose.yml --env-file deploy/.env --env-file deploy/cluster.env up -d --wait",
  "AWS_REGION=eu-central-1 docker compose -f deploy/compose.yml --env-file deploy/aws.env up -d --wait",
  "docker compose -f deploy/compose.yml -f deploy/docker-tasks.yml up -d --wait",
  "npx fleet run --image busybox:1.37 -- sh -c 'echo hello; exit 3'"
])

/** Commands that need an AWS account, and a NATS server beside it. */
const needsAws = new Set([
  `export AWS_REGION=eu-central-1 CLUSTER=fleet LOG_GROUP=fleet NATS_URL=nats://nats.internal:4222`,
  `export ACCOUNT=$(aws sts get-caller-identity --query Account --output text)`,
  `export IMAGE=$ACCOUNT.dkr.ecr.$AWS_REGION.amazonaws.com/ecs-fleet:0.1.0`,
  `aws ecs create-cluster --cluster-name "$CLUSTER" --capacity-providers FARGATE FARGATE_SPOT`,
  `aws ecs create-cluster --cluster-name "$CLUSTER-services"`,
  `aws logs create-log-group --log-group-name "$LOG_GROUP"`,
  `aws logs put-retention-policy --log-group-name "$LOG_GROUP" --retention-in-days 30`,
  `aws logs create-log-group --log-group-name fleet-services`,
  `for role in execution services-execution dispatcher launcher watcher log-streamer; do aws iam create-role --role-name "fleet-$role" --assume-role-policy-document file://.fleet/aws/trust-tasks.json; done`,
  `for role in execution dispatcher launcher watcher log-streamer; do aws iam put-role-policy --role-name "fleet-$role" --policy-name fleet --policy-document "file://.fleet/aws/$role.json"; done`,
  `aws iam put-role-policy --role-name fleet-services-execution --policy-name fleet --policy-document file://.fleet/aws/services-secrets.json`,
  `aws iam attach-role-policy --role-name fleet-services-execution --policy-arn arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy`,
  `export VPC=$(aws ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[0].VpcId' --output text)`,
  `export SUBNETS=$(aws ec2 describe-subnets --filters Name=vpc-id,Values="$VPC" --query 'Subnets[].SubnetId' --output text | tr '\\t' ',')`,
  `export SECURITY_GROUP=$(aws ec2 describe-security-groups --filters Name=vpc-id,Values="$VPC" Name=group-name,Values=default --query 'SecurityGroups[0].GroupId' --output text)`,
  `npx fleet auth init`,
  `env $(cat fleet-auth/init.env) npx fleet init`,
  `for service in dispatcher launcher watcher log-streamer; do aws ssm put-parameter --name "/fleet/$service" --type SecureString --value "$(cat fleet-auth/$service.nk)"; done`,
  `aws ecr create-repository --repository-name ecs-fleet`,
  `aws ecr get-login-password | docker login --username AWS --password-stdin "\${IMAGE%%/*}"`,
  `docker build --platform linux/amd64 -f deploy/Dockerfile -t "$IMAGE" .`,
  `docker push "$IMAGE"`,
  `for service in dispatcher launcher watcher log-streamer; do aws ecs register-task-definition --cli-input-json "file://.fleet/aws/service-$service.json"; done`,
  `for service in dispatcher launcher watcher log-streamer; do aws ecs create-service --cluster "$CLUSTER-services" --service-name "fleet-$service" --task-definition "fleet-$service" --desired-count 1 --launch-type FARGATE --network-configuration "awsvpcConfiguration={subnets=[$SUBNETS],securityGroups=[$SECURITY_GROUP],assignPublicIp=ENABLED}"; done`,
  `aws ecs wait services-stable --cluster "$CLUSTER-services" --services fleet-dispatcher fleet-launcher fleet-watcher fleet-log-streamer`,
  `export $(cat fleet-auth/operator.env)`,
  `npx fleet pool set default -f pool.yaml`,
  `npx fleet verify`
])

const commands = pages
  .filter(({ page }) => !page.includes("/") || page.startsWith("docs/"))
  .flatMap(({ page, text }) =>
    [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = ""]) =>
      block
        .split("\n")
        .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
        .filter((line) => line !== "")
        .map((command) => ({ page, command }))
    )
  )

describe("commands", () => {
  it.each(commands)("$page: $command", ({ command }) => {
    const known = command in provedBy || [checks, measurements, needsMore, needsAws].some((list) => list.has(command))
    assert.isTrue(known, `"${command}" is in no list of test/docs.test.ts: say which test runs it, or what it needs`)
  })

  it.each(Object.entries(provedBy))("%s is named in %s", (command, test) => {
    assert.include(readFileSync(join(root, test), "utf8"), command)
  })

  it("are listed only if a page shows them", () => {
    const shown = new Set(commands.map(({ command }) => command))
    const listed = [...Object.keys(provedBy), ...checks, ...needsMore, ...needsAws]
    assert.deepStrictEqual(
      listed.filter((command) => !shown.has(command)),
      []
    )
  })

  it.each(
    [...checks, ...Object.keys(provedBy)].flatMap((command) =>
      [...command.matchAll(/npm run ([a-z:]+)/g)].map(([, name = ""]) => name)
    )
  )("npm run %s exists", (script) => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>
    }
    assert.property(scripts, script)
  })
})

const NOT_SETTINGS = new Set(["FLEET_IN", "FLEET_QUEUES", "FLEET_LOGS", "FLEET_DEAD", "FLEET_USERS"])
const sources = ["libs", "services", "cli"]
  .flatMap((folder) => filesBelow(join(root, folder), ".ts"))
  .filter((path) => !path.endsWith(".test.ts") && !path.includes("/fixtures/"))
  .map((path) => readFileSync(path, "utf8"))
const variables = sources
  .flatMap((text) => [...text.matchAll(/"((?:FLEET|NATS|LOCAL_AWS|OTLP|LOG)_[A-Z_]+)"/g)])
  .map(([, name = ""]) => name)
  .filter((name) => !NOT_SETTINGS.has(name))

describe("settings", () => {
  const described = pages
    .filter(({ page }) => page === "docs/settings.md" || /^services\/[^/]+\/README\.md$/.test(page))
    .map(({ text }) => text)
    .join("\n")

  it.each([
    ...new Set([...described.matchAll(/`((?:FLEET|NATS|LOCAL_AWS|OTLP|LOG)_[A-Z_]+)`/g)].map(([, name = ""]) => name))
  ])("%s is read somewhere", (name) => {
    assert.isTrue(
      sources.some((text) => text.includes(name)),
      `no source names ${name}: remove it from the page`
    )
  })

  it.each([...new Set(variables)])("%s is described", (name) => {
    assert.include(described, `\`${name}\``, `describe ${name} in docs/settings.md, or in the README of its service`)
  })
})

describe("docs/architecture.md", () => {
  const rows = readFileSync(join(root, "docs/architecture.md"), "utf8")

  it.each(["run.requested", "run.cancel", "run.queued", "run.finished", "logs", "dead", ...AttemptKinds])(
    "has a row for %s",
    (kind) => {
      assert.match(rows, new RegExp(`^\\| .*\`${kind}\\.<`, "m"))
    }
  )
})

describe("README.md", () => {
  const text = readFileSync(join(root, "README.md"), "utf8")

  it("shows the first command within 20 lines and is shorter than 150", () => {
    const lines = text.split("\n")
    assert.isBelow(lines.indexOf("npm ci && npm run demo"), 20)
    assert.isBelow(lines.length, 150)
  })
})

describe("pages", () => {
  it.each(pages)("$page has one title", ({ text }) => {
    assert.lengthOf([...prose(text).matchAll(/^# /gm)], 1)
  })
})
