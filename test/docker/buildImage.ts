import { docker, image } from "#test/docker/docker.ts"

/** The image of this checkout, before the first test, as compose builds it; what has not changed costs nothing. */
export const setup = async (): Promise<void> => {
  await docker(["compose", "-f", "deploy/compose.yml", "build", "init"], { FLEET_IMAGE: image })
}

export const teardown = async (): Promise<void> => {
  await docker(["image", "prune", "-f", "--filter", "label=org.opencontainers.image.title=ecs-fleet"])
}
