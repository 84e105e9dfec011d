import {
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  EC2ServiceException,
  RunInstancesCommand
} from "@aws-sdk/client-ec2"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ec2Client, layerTest } from "#test/support/LocalAws.ts"

const isDefault = { Name: "is-default", Values: ["true"] }

layer(layerTest({ runtime: "simulated" }), { excludeTestServices: true })("EC2 discovery through the SDK", (it) => {
  it.effect("a default VPC with three subnets and one security group", () =>
    Effect.gen(function* () {
      const ec2 = yield* ec2Client
      const { Vpcs = [] } = yield* Effect.promise(() => ec2.send(new DescribeVpcsCommand({ Filters: [isDefault] })))
      const [vpc] = Vpcs
      assert.strictEqual(Vpcs.length, 1)
      assert.isTrue(vpc?.IsDefault)
      const ofVpc = { Name: "vpc-id", Values: [vpc?.VpcId ?? ""] }
      const { Subnets = [] } = yield* Effect.promise(() => ec2.send(new DescribeSubnetsCommand({ Filters: [ofVpc] })))
      assert.strictEqual(Subnets.length, 3)
      assert.isTrue(Subnets.every(({ State, VpcId }) => State === "available" && VpcId === vpc?.VpcId))
      assert.isTrue(Subnets.every(({ AvailableIpAddressCount = 0 }) => AvailableIpAddressCount > 0))
      assert.strictEqual(new Set(Subnets.map(({ AvailabilityZone }) => AvailabilityZone)).size, 3)
      const named = new DescribeSecurityGroupsCommand({ Filters: [ofVpc, { Name: "group-name", Values: ["default"] }] })
      const { SecurityGroups = [] } = yield* Effect.promise(() => ec2.send(named))
      assert.deepStrictEqual(
        SecurityGroups.map(({ GroupName, VpcId }) => [GroupName, VpcId]),
        [["default", vpc?.VpcId]]
      )
    })
  )

  it.effect("nothing found is an empty list", () =>
    Effect.gen(function* () {
      const ec2 = yield* ec2Client
      const none = new DescribeVpcsCommand({ Filters: [{ Name: "vpc-id", Values: ["vpc-none"] }] })
      assert.deepStrictEqual((yield* Effect.promise(() => ec2.send(none))).Vpcs, [])
    })
  )

  it.effect.each([
    { name: "InvalidVpcID.NotFound", command: new DescribeVpcsCommand({ VpcIds: ["vpc-0123456789abcdef0"] }) },
    { name: "InvalidAction", command: new RunInstancesCommand({ MinCount: 1, MaxCount: 1 }) }
  ])("$name is an EC2ServiceException", ({ command, name }) =>
    Effect.gen(function* () {
      const ec2 = yield* ec2Client
      const send = () => (command instanceof DescribeVpcsCommand ? ec2.send(command) : ec2.send(command))
      const error = yield* Effect.flip(Effect.tryPromise({ try: send, catch: (error) => error }))
      assert.instanceOf(error, EC2ServiceException)
      assert.strictEqual(error.name, name)
      assert.match(error.$metadata.requestId ?? "", /^[0-9a-f-]{36}$/)
    })
  )
})
