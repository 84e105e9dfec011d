import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { Fault } from "#aws/model/Fault.ts"
import { Buckets } from "#bus/Bucket.ts"
import { Bus } from "#bus/Bus.ts"
import { obtainNatsServer } from "#bus/server/NatsBinary.ts"
import { NatsServer } from "#bus/server/NatsServer.ts"
import { Topology } from "#bus/Topology.ts"
import { topologyDefaults } from "#ecs-core/FleetTopology.ts"
import type { Json } from "#ecs-core/Json.ts"
import { BucketNames, Durables, Streams } from "#ecs-core/Subjects.ts"
import { setUpFleet } from "#process/FleetSetup.ts"
import { guardedServer } from "#test/support/auth.ts"
import { type Ended, fleet } from "#test/support/fleetCommand.ts"
import { clearFaults, inject, LocalAws, layerTest as localAws, sdkEnv } from "#test/support/LocalAws.ts"
import { layerTest as natsServer, runTestServer, tempFolder } from "#test/support/NatsServer.ts"
import { freePort } from "#test/support/ports.ts"

/** `fleet verify` as people start it, against a real nats-server and local-aws. */

interface Line {
  readonly check: string
  readonly subject?: string
  readonly verdict: "OK" | "NG" | "SKIP"
  readonly says: string
  readonly fix?: string
}

const bus = Layer.unwrap(Effect.map(NatsServer, ({ url }) => Bus.layer({ servers: [url], name: "test" })))
const surroundings = bus.pipe(Layer.provideMerge(Layer.merge(natsServer, localAws())))

const environment = Effect.gen(function* () {
  return { ...sdkEnv((yield* LocalAws).url), NATS_URL: (yield* NatsServer).url }
})

const verify = (env: Readonly<Record<string, string>>, ...flags: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    return yield* fleet({ folder: yield* tempFolder("verify"), env }, "verify", ...flags)
  }).pipe(Effect.scoped)

const linesOf = ({ err, out }: Ended): ReadonlyArray<Line> => {
  assert.strictEqual(err, "")
  return out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line)
}

const good: Json = { image: "local/shell", executionRoleArn: "arn:aws:iam::000000000000:role/fleet-execution" }

/** The fleet as `fleet init` leaves it, with these pools and no others. */
const withPools = (pools: Readonly<Record<string, Json>>) =>
  Effect.gen(function* () {
    yield* setUpFleet(topologyDefaults)
    const bucket = yield* (yield* Buckets).open(BucketNames.pools)
    for (const name of yield* bucket.keys()) yield* bucket.delete(name)
    for (const [name, pool] of Object.entries(pools)) yield* bucket.put(name, JSON.stringify({ v: 1, ...pool }))
    yield* clearFaults
  })

interface Broken {
  readonly what: string
  readonly pool?: Json
  readonly fault?: Fault
  readonly env?: Readonly<Record<string, string>>
  /** Of the one finding that is NG. */
  readonly check: string
  readonly fix: RegExp
}

const error = (action: string, name: string): Fault => ({ action, times: 0, error: { name, message: "No." } })

const broken: ReadonlyArray<Broken> = [
  {
    what: "the settings of streams are others than the fleet was set up with",
    env: { FLEET_LOGS_AGE_SECONDS: "3600" },
    check: "streams",
    fix: /fleet init, or set the variables/
  },
  {
    what: "a pool is not valid",
    pool: { ...good, cpu: "many" },
    check: "pool",
    fix: /fleet pool set default -f pool\.yaml/
  },
  {
    what: "a pool names a set of credentials that is not known",
    pool: { ...good, credentials: "team-a" },
    check: "pool",
    fix: /FLEET_AWS_CREDENTIALS_FILE/
  },
  {
    what: "the cluster is not there",
    pool: { ...good, cluster: "jobs" },
    check: "cluster",
    fix: /^aws ecs create-cluster --region us-east-1 --cluster-name jobs/
  },
  {
    what: "the pool has no execution role",
    pool: { image: "local/shell" },
    check: "execution role",
    fix: /"executionRoleArn" in the pool/
  },
  {
    what: "the execution role is not there",
    fault: error("GetRole", "NoSuchEntity"),
    check: "execution role",
    fix: /^aws iam create-role --role-name fleet-execution .*trust-tasks\.json/
  },
  {
    what: "a subnet is not there",
    pool: { ...good, networkConfiguration: { subnets: ["subnet-0f1ee7000000000a", "subnet-gone"] } },
    check: "network",
    fix: /"networkConfiguration" of the pool.*describe-subnets/
  },
  {
    what: "the VPC is not there",
    pool: { ...good, vpcId: "vpc-gone" },
    check: "network",
    fix: /aws ec2 describe-vpcs/
  },
  {
    what: "the subnets have fewer addresses than the pool has runs",
    pool: {
      ...good,
      cpu: 256,
      memory: 512,
      maxRunning: 20_000,
      launchType: "EC2",
      networkConfiguration: { subnets: ["subnet-0f1ee7000000000a"] }
    },
    check: "network",
    fix: /larger subnets/
  },
  {
    what: "the log group is not there, and nobody makes it",
    pool: { ...good, cloudwatchLogsOptions: { "awslogs-group": "jobs", "awslogs-create-group": "false" } },
    check: "log group",
    fix: /^aws logs create-log-group --region us-east-1 --log-group-name jobs/
  },
  {
    what: "a pool may take more vCPUs than AWS gives a new account",
    pool: { ...good, cpu: 2048, memory: 4096, maxRunning: 4 },
    check: "vcpus",
    fix: /L-3032A538 --desired-value 8.*--vcpus/
  },
  {
    what: "a pool is to start runs faster than a launcher does",
    pool: { ...good, maxSubmitPerSecond: 50 },
    check: "run pace",
    fix: /Lower maxSubmitPerSecond to 19/
  },
  {
    what: "the launcher is faster than AWS's quota",
    env: { FLEET_AWS_RUN_TASK_PER_SECOND: "100" },
    check: "run pace",
    fix: /Service Quotas/
  },
  {
    what: "the credentials have expired",
    fault: error("*", "ExpiredTokenException"),
    check: "aws",
    fix: /credentials/i
  },
  {
    what: "the file of the sets of credentials is not there",
    env: { FLEET_AWS_CREDENTIALS_FILE: "gone.yaml" },
    check: "aws settings",
    fix: /docs\/credentials\.md/
  }
]

layer(surroundings, { excludeTestServices: true })("fleet verify", (it) => {
  it.effect("against local-aws prints all OK and ends with 0", () =>
    Effect.gen(function* () {
      yield* withPools({ default: good })
      const env = yield* environment
      const { code, err, out } = yield* verify(env)
      assert.deepStrictEqual([code, err], [0, ""], out)
      const rows = out.split("\n\n")[0]?.split("\n").slice(1) ?? []
      assert.isAbove(rows.length, 10)
      for (const row of rows) assert.match(row, /^OK {2}/)
      assert.include(out, "✓ nothing is wrong\n")
      const lines = linesOf(yield* verify(env, "--json"))
      assert.strictEqual(lines.length, rows.length)
      assert.deepStrictEqual(
        lines.map(({ check }) => check),
        [
          "nats",
          "streams",
          "buckets",
          "consumers",
          "rights",
          "fleet id",
          "pool",
          "run pace",
          "aws",
          "cluster",
          "execution role",
          "network",
          "log group",
          "vcpus"
        ]
      )
    })
  )

  describe.each(broken)("says what to do where $what", ({ check, env = {}, fault, fix, pool = good }) => {
    it.effect("that alone is NG, and the command ends with 1", () =>
      Effect.gen(function* () {
        yield* withPools({ default: pool })
        if (fault !== undefined) yield* inject(fault)
        const ended = yield* verify({ ...(yield* environment), ...env }, "--json")
        const wrong = linesOf(ended).filter(({ verdict }) => verdict === "NG")
        assert.deepStrictEqual([ended.code, wrong.map((line) => line.check)], [1, [check]], JSON.stringify(wrong))
        assert.match(wrong[0]?.fix ?? "", fix)
      })
    )
  })

  it.effect("says what to do where a consumer is missing", () =>
    Effect.gen(function* () {
      yield* withPools({ default: good })
      yield* (yield* Topology).deleteConsumer(Streams.fleet, Durables.watcher)
      const { code, out } = yield* verify(yield* environment)
      assert.strictEqual(code, 1)
      assert.include(out, `NG consumers: missing: ${Streams.fleet}/${Durables.watcher}\n   Run: fleet init\n`)
    })
  )

  it.effect("says what to do where nothing answers, and asks AWS all the same", () =>
    Effect.gen(function* () {
      yield* clearFaults
      const env = { ...(yield* environment), NATS_URL: `nats://127.0.0.1:${yield* Effect.promise(freePort)}` }
      const lines = linesOf(yield* verify(env, "--json"))
      assert.deepStrictEqual(
        lines.filter(({ verdict }) => verdict === "NG").map(({ check, fix }) => [check, fix]),
        [["nats", "Start everything with `fleet up`, or set NATS_URL."]]
      )
      assert.deepStrictEqual(
        lines.filter(({ verdict }) => verdict === "OK").map(({ check }) => check),
        ["run pace", "aws"],
        "what is not known is not OK"
      )
    })
  )

  it.effect("judges nothing of AWS by guess where there are no pools", () =>
    Effect.gen(function* () {
      yield* withPools({})
      const { code, out } = yield* verify(yield* environment, "--json")
      const lines = linesOf({ code, out, err: "" })
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(
        lines.filter(({ verdict }) => verdict === "SKIP").map(({ check }) => check),
        ["pools", "cluster", "execution role", "network", "log group", "vcpus"]
      )
    })
  )

  it.effect("says what to do where the fleet is not set up", () =>
    Effect.gen(function* () {
      const { url } = yield* runTestServer()
      const lines = linesOf(yield* verify({ ...(yield* environment), NATS_URL: url }, "--json"))
      assert.deepStrictEqual(
        lines.filter(({ verdict }) => verdict === "NG").map(({ check, fix }) => [check, fix]),
        ["streams", "buckets", "consumers", "fleet id"].map((check) => [check, "Run: fleet init"])
      )
    }).pipe(Effect.scoped)
  )

  it.effect("says what to do where the credentials of NATS are a reader's, or none", () =>
    Effect.gen(function* () {
      const { envOf, server } = yield* guardedServer(yield* obtainNatsServer(), ["--reader", "web"])
      const aws = sdkEnv((yield* LocalAws).url)
      const own = linesOf(yield* verify({ ...aws, NATS_URL: server.url }, "--json"))
      assert.match(own.find(({ check }) => check === "nats")?.fix ?? "", /NATS_CREDS, NATS_NKEY_SEED or NATS_USER/)
      yield* fleet({ folder: yield* tempFolder("verify"), env: envOf("init") }, "init")
      const reader = linesOf(yield* verify({ ...aws, ...envOf("web") }, "--json"))
      const rights = reader.find(({ check }) => check === "rights")
      assert.strictEqual(rights?.verdict, "NG")
      assert.match(rights?.fix ?? "", /fleet-auth\/operator\.env/)
      const operator = linesOf(yield* verify({ ...aws, ...envOf("operator") }, "--json"))
      assert.deepStrictEqual(
        operator.filter(({ verdict }) => verdict === "NG"),
        []
      )
    }).pipe(Effect.scoped)
  )
})
