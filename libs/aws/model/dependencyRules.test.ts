import type { ContainerDefinition, ContainerDependency } from "@aws-sdk/client-ecs"
import { assert, describe, it } from "@effect/vitest"
import { aWorld, ok, onFargate, refusal, region } from "#test/support/EcsWorld.ts"
import { registerTaskDefinition } from "./taskDefinitions.ts"

const container = (name: string, more: Partial<ContainerDefinition> = {}): ContainerDefinition => ({
  name,
  image: "x",
  ...more
})

const needs = (...needs: ReadonlyArray<readonly [string, string]>) => ({
  dependsOn: needs.map(([containerName, condition]) => ({ containerName, condition }) as ContainerDependency)
})

const register = (...containerDefinitions: Array<ContainerDefinition>) =>
  registerTaskDefinition(aWorld(), region, { ...onFargate, containerDefinitions }, 0)

const init = container("init", { essential: false })
const proxy = container("proxy", { healthCheck: { command: ["CMD", "true"] } })

describe("the order of containers", () => {
  it("takes every condition, in whatever order the containers stand", () => {
    const all = needs(["init", "SUCCESS"], ["init", "COMPLETE"], ["init", "START"], ["proxy", "HEALTHY"])
    const { taskDefinition } = ok(register(container("main", all), init, { ...proxy, ...needs(["init", "COMPLETE"]) }))
    assert.lengthOf(taskDefinition?.containerDefinitions?.[0]?.dependsOn ?? [], 4)
  })

  it.each([
    {
      what: "a container that is not there",
      containers: [container("main", needs(["int", "START"])), init],
      text: /^Container 'main' depends on container 'int', which the task definition lacks\.$/
    },
    {
      what: "the end of an essential container",
      containers: [container("main", needs(["proxy", "SUCCESS"])), proxy],
      text: /^A dependency container with SUCCESS or COMPLETE condition cannot be an essential container$/
    },
    {
      what: "the health of a container without a check",
      containers: [container("main", needs(["init", "HEALTHY"])), init],
      text: /'init' to be HEALTHY, which has no health check/
    },
    {
      what: "a condition that does not exist",
      containers: [container("main", needs(["init", "DONE"])), init],
      text: /should be one of \[START,COMPLETE,SUCCESS,HEALTHY\], not DONE/
    },
    {
      what: "itself",
      containers: [container("main", needs(["main", "START"]))],
      text: /dependencies of \[main\] are circular/
    },
    {
      what: "a circle",
      containers: [
        container("main", needs(["a", "START"])),
        container("a", needs(["b", "START"])),
        container("b", needs(["main", "START"])),
        init
      ],
      text: /dependencies of \[main,a,b\] are circular/
    }
  ])("refuses to wait for $what", ({ containers, text }) => {
    const failure = refusal(register(...containers))
    assert.strictEqual(failure.__type, "ClientException")
    assert.match(failure.message, text)
  })
})
