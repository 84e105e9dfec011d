import { Agent as HttpAgent } from "node:http"
import { Agent as HttpsAgent } from "node:https"
import { getCACertificates } from "node:tls"
import type { AwsSettings } from "./AwsConfig.ts"

/**
 * The connections of one client: kept open, so many at a time. Calls by https go through the proxy, if there is one,
 * and trust the given authorities beside those that Node trusts (`NODE_EXTRA_CA_CERTS` included).
 */
export const agentsOf = (settings: Pick<AwsSettings, "maxSockets" | "caBundle" | "proxy" | "noProxy">) => {
  const { caBundle, maxSockets, noProxy, proxy } = settings
  return {
    httpAgent: new HttpAgent({ maxSockets, keepAlive: true }),
    httpsAgent: new HttpsAgent({
      maxSockets,
      keepAlive: true,
      ...(caBundle === undefined ? {} : { ca: [...getCACertificates("default"), caBundle] }),
      ...(proxy === undefined ? {} : { proxyEnv: proxyEnvironment(proxy, noProxy) })
    })
  }
}

/** As Node reads a proxy from the environment; `NO_PROXY` leaves hosts out. */
const proxyEnvironment = (proxy: string, noProxy: string | undefined): NodeJS.ProcessEnv => ({
  HTTPS_PROXY: proxy,
  ...(noProxy === undefined ? {} : { NO_PROXY: noProxy })
})
