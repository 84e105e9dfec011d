import { execFileSync } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { RegisterTaskDefinitionCommandInput } from "@aws-sdk/client-ecs"
import { afterAll, assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Ecs } from "#aws/Ecs.ts"
import { layerMemoryAws } from "#test/support/MemoryFleet.ts"

/** What docs/getting-started-aws.md makes of the files in deploy, without AWS. */

/** As the page has them: test/docs.test.ts compares. */
const filling: ReadonlyArray<string> = [
  String.raw`mkdir -p .fleet/aws`,
  String.raw`for file in deploy/iam/*.json deploy/ecs/*.json; do sed -e "s|:REGION:|:$AWS_REGION:|g; s|\"REGION\"|\"$AWS_REGION\"|g; s|ACCOUNT|$ACCOUNT|g; s|CLUSTER|$CLUSTER|g; s|LOG_GROUP|$LOG_GROUP|g; s|\"IMAGE\"|\"$IMAGE\"|g; s|NATS_ADDRESS|$NATS_URL|g" "$file" > ".fleet/aws/$(basename "$file")"; done`,
  String.raw`for service in dispatcher launcher watcher log-streamer; do sed -e "s|SERVICE|$service|g" .fleet/aws/service.json > ".fleet/aws/service-$service.json"; done`
]

const values = {
  AWS_REGION: "eu-central-1",
  ACCOUNT: "123456789012",
  CLUSTER: "fleet",
  LOG_GROUP: "/fleet/tasks",
  IMAGE: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/ecs-fleet:0.1.0",
  NATS_URL: "nats://nats.internal:4222"
}

const folder = mkdtempSync(join(tmpdir(), "ecs-fleet-start-"))
afterAll(() => rmSync(folder, { recursive: true }))
for (const name of ["iam", "ecs"]) cpSync(join("deploy", name), join(folder, "deploy", name), { recursive: true })
const env = { PATH: process.env["PATH"], ...values }
execFileSync("bash", ["-euc", filling.join("\n")], { cwd: folder, env })

const read = (name: string): string => readFileSync(join(folder, ".fleet/aws", name), "utf8")
const files = readdirSync(join(folder, ".fleet/aws"))

describe("the files that the page fills in", () => {
  it.each(files.filter((name) => !/^(service|pools-in-s3|assume-roles)\.json$/.test(name)))(
    "%s has no placeholder left, and is JSON",
    (name) => {
      const text = read(name)
      assert.isObject(JSON.parse(text))
      assert.notMatch(text, /REGION(?!")|ACCOUNT|CLUSTER|LOG_GROUP|IMAGE|NATS_ADDRESS|SERVICE/)
      assert.notMatch(text, /"REGION"/)
    }
  )

  it("keep the names of variables", () => {
    assert.include(read("service-watcher.json"), '"name": "AWS_REGION", "value": "eu-central-1"')
  })
})

interface Container {
  readonly environment: ReadonlyArray<{ readonly name: string }>
  readonly secrets: ReadonlyArray<{ readonly name: string }>
  readonly command: ReadonlyArray<string>
  readonly healthCheck: { readonly command: ReadonlyArray<string> }
}

const services = files.filter((name) => name.startsWith("service-"))

layer(layerMemoryAws())("the definitions of the services", (it) => {
  it.effect.each(services)("%s can be registered, and asks /live", (name) =>
    Effect.gen(function* () {
      const definition = JSON.parse(read(name)) as RegisterTaskDefinitionCommandInput
      const { family, revision } = yield* (yield* Ecs).registerTaskDefinition({ region: "eu-central-1" }, definition)
      assert.deepStrictEqual([`${family}.json`, revision], [name.replace("service-", "fleet-"), 1])
      const [container] = (definition.containerDefinitions ?? []) as unknown as ReadonlyArray<Container>
      assert.deepStrictEqual(container?.command, [name.slice("service-".length, -".json".length)])
      assert.deepStrictEqual(container?.healthCheck.command, ["CMD", "node", "/app/healthy.js", "/live"])
      const settings = readFileSync("docs/settings.md", "utf8")
      for (const { name: setting } of [...(container?.environment ?? []), ...(container?.secrets ?? [])]) {
        assert.include(settings, `\`${setting}\``)
      }
    })
  )

  it("are those of all four", () => {
    assert.lengthOf(services, 4)
  })
})
