/**
 * The image's health check: exit code 0 when every part of the program in this container is well. With the argument
 * `/live`, when it answers at all: for whoever ends a container that is not healthy.
 */
import { get } from "node:http"

const port = process.env.FLEET_HEALTH_PORT ?? "8080"
const path = process.argv[2] ?? "/ready"
get(`http://127.0.0.1:${port}${path}`, { timeout: 2000 }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on("timeout", () => process.exit(1))
  .on("error", () => process.exit(1))
