import { baseImage, docker, image } from "#test/docker/docker.ts"

/** The image of this checkout, before the first test; layers that have not changed cost nothing. */
export const setup = async (): Promise<void> => {
  const args = ["--build-arg", `NODE_IMAGE=${baseImage}`]
  await docker(["build", "-q", "-f", "deploy/Dockerfile", "-t", image, ...args, "."])
}

export const teardown = async (): Promise<void> => {
  await docker(["image", "prune", "-f", "--filter", "label=org.opencontainers.image.title=ecs-fleet"])
}
