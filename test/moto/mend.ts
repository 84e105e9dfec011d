import { bodyOf, handOn, listen, write } from "#test/support/httpServer.ts"

/**
 * moto 5.2.5 answers two legal inputs with its own crash (HTTP 500), which would keep it from judging nearly everything:
 * a container without a memory size, which a task of Fargate need not have, and a network without a list of security groups.
 * So what is absent goes in with a mark, and the mark is taken out of what comes back. Nothing else is touched.
 */
const MARK_MEMORY = 4242

interface Container {
  readonly memory?: number
  readonly memoryReservation?: number
}

export const mendingProxy = (to: string) =>
  listen(async (incoming, response) => {
    const body = await bodyOf(incoming)
    const action = String(incoming.headers["x-amz-target"] ?? "").replace(/^.*\./, "")
    const { contentType, status, text } = await handOn(to, incoming, mended(action, body))
    write(response, status, contentType, text.replaceAll(`, "memory": ${MARK_MEMORY}`, ""))
  })

const mended = (action: string, body: string): string => {
  if (action === "RegisterTaskDefinition") return JSON.stringify(withMemory(JSON.parse(body)))
  return action === "RunTask" ? JSON.stringify(withGroups(JSON.parse(body))) : body
}

const withMemory = (input: { readonly containerDefinitions?: ReadonlyArray<Container> }) => ({
  ...input,
  containerDefinitions: input.containerDefinitions?.map((container) =>
    container.memory === undefined && container.memoryReservation === undefined
      ? { ...container, memory: MARK_MEMORY }
      : container
  )
})

const withGroups = (input: { readonly networkConfiguration?: { readonly awsvpcConfiguration?: object } }) => {
  const network = input.networkConfiguration?.awsvpcConfiguration
  return network === undefined
    ? input
    : { ...input, networkConfiguration: { awsvpcConfiguration: { securityGroups: [], ...network } } }
}
