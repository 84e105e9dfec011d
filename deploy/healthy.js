/** The image's health check: exit code 0 when every part of the program in this container is well. */
import { get } from "node:http"

const port = process.env.FLEET_HEALTH_PORT ?? "8080"
get(`http://127.0.0.1:${port}/ready`, { timeout: 2000 }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on("timeout", () => process.exit(1))
  .on("error", () => process.exit(1))
