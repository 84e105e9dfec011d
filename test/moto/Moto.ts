import { CreateSubnetCommand, CreateVpcCommand, EC2Client, ModifyVpcAttributeCommand } from "@aws-sdk/client-ec2"
import { CreateClusterCommand, ECSClient } from "@aws-sdk/client-ecs"
import { Effect, Layer, Schedule } from "effect"
import { spawnTethered } from "#bus/server/Tethered.ts"
import { mendingProxy } from "#test/moto/mend.ts"
import { LocalAws, sdkConfig } from "#test/support/LocalAws.ts"
import { tempFolder } from "#test/support/NatsServer.ts"
import { freePort } from "#test/support/ports.ts"

/** The interpreter of a virtual environment that has moto's server; set by `test/moto/run`. */
const python = process.env["MOTO_PYTHON"]

/** Whether moto stands in for AWS in this run of the tests. */
export const isJudgedByMoto = python !== undefined

/**
 * moto in server mode in the place of local-aws: a server of its own on a free port of loopback, with these clusters and
 * a second VPC of two subnets. It ends with the scope.
 */
export const layerMoto = (clusters: ReadonlyArray<string> = ["default"]): Layer.Layer<LocalAws> =>
  Layer.effect(LocalAws, Effect.orDie(start(clusters)))

const start = Effect.fnUntraced(function* (clusters: ReadonlyArray<string>) {
  const port = yield* Effect.promise(freePort)
  const log = `${yield* tempFolder("moto")}/moto.log`
  yield* Effect.acquireRelease(
    spawnTethered(python ?? "python3", ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], log),
    ({ exited, signal }) => Effect.andThen(signal("SIGTERM"), exited)
  )
  const answers = Effect.tryPromise(() => fetch(`http://127.0.0.1:${port}`))
  yield* Effect.timeout(Effect.retry(answers, Schedule.spaced("100 millis")), "30 seconds")
  const url = yield* mendingProxy(`http://127.0.0.1:${port}`)
  yield* Effect.promise(() => furnish(url, clusters))
  return LocalAws.of({ host: "127.0.0.1", port: Number(new URL(url).port), url })
})

const furnish = async (url: string, clusters: ReadonlyArray<string>): Promise<void> => {
  const [ecs, ec2] = [new ECSClient(sdkConfig(url)), new EC2Client(sdkConfig(url))]
  for (const clusterName of clusters) await ecs.send(new CreateClusterCommand({ clusterName }))
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: "10.1.0.0/16" }))
  // moto cannot launch where network interfaces have no names.
  await ec2.send(new ModifyVpcAttributeCommand({ VpcId: Vpc?.VpcId, EnableDnsHostnames: { Value: true } }))
  for (const CidrBlock of ["10.1.1.0/24", "10.1.2.0/24"]) {
    await ec2.send(new CreateSubnetCommand({ VpcId: Vpc?.VpcId, CidrBlock }))
  }
  ecs.destroy()
  ec2.destroy()
}
