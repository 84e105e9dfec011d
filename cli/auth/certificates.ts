import { generateKeyPairSync, X509Certificate } from "node:crypto"
import { isIP } from "node:net"
import forge from "node-forge"

/*
 * An authority of one's own and a certificate for nats-server, for those who have no other authority. The authority's
 * key signs later certificates; nothing that runs needs it.
 */

const CA_DAYS = 3_650
/** What clients commonly accept at most. */
const SERVER_DAYS = 825
const KEY_BITS = 3_072
const DAY_MILLIS = 86_400_000
/** Clocks differ. */
const EARLIER_MILLIS = 3_600_000
const CA_NAME = "ecs-fleet NATS authority"

/** PEM texts. */
export interface Pem {
  readonly certificate: string
  readonly key: string
}

interface Issue {
  readonly name: string
  readonly days: number
  readonly extensions: ReadonlyArray<Readonly<Record<string, unknown>>>
  /** Absent = it signs itself. */
  readonly authority?: Pem
  readonly nowMillis: number
  /** 16 random bytes. */
  readonly serial: Uint8Array
}

/** An authority; `serial` are 16 random bytes. */
export const newAuthority = (nowMillis: number, serial: Uint8Array): Pem =>
  issue({
    name: CA_NAME,
    days: CA_DAYS,
    extensions: [
      { name: "basicConstraints", cA: true, pathLenConstraint: 0, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
      { name: "subjectKeyIdentifier" }
    ],
    nowMillis,
    serial
  })

/** A server's certificate for these names and addresses, the first of which is its own. */
export const newServerCertificate = (
  authority: Pem,
  hosts: ReadonlyArray<string>,
  nowMillis: number,
  serial: Uint8Array
): Pem =>
  issue({
    name: hosts[0] ?? "",
    days: SERVER_DAYS,
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: hosts.map(alternativeName) },
      { name: "authorityKeyIdentifier", keyIdentifier: keyIdentifierOf(authority) }
    ],
    authority,
    nowMillis,
    serial
  })

/** The certificate names all of these. */
export const isFor = ({ certificate }: Pem, hosts: ReadonlyArray<string>): boolean => {
  const known = new X509Certificate(certificate)
  return hosts.every((host) => (isIP(host) === 0 ? known.checkHost(host) : known.checkIP(host)) !== undefined)
}

const DNS_NAME = 2
const IP_ADDRESS = 7
const alternativeName = (host: string) =>
  isIP(host) === 0 ? { type: DNS_NAME, value: host } : { type: IP_ADDRESS, ip: host }

const keyIdentifierOf = ({ certificate }: Pem): string =>
  forge.pki.certificateFromPem(certificate).generateSubjectKeyIdentifier().getBytes()

const issue = ({ name, days, extensions, authority, nowMillis, serial }: Issue): Pem => {
  const keys = generateKeyPairSync("rsa", {
    modulusLength: KEY_BITS,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" }
  })
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.publicKeyFromPem(keys.publicKey)
  certificate.serialNumber = `00${Buffer.from(serial).toString("hex")}`
  certificate.validity.notBefore = new Date(nowMillis - EARLIER_MILLIS)
  certificate.validity.notAfter = new Date(nowMillis + days * DAY_MILLIS)
  certificate.setSubject([{ name: "commonName", value: name }])
  certificate.setIssuer([{ name: "commonName", value: authority === undefined ? name : CA_NAME }])
  certificate.setExtensions([...extensions])
  const signer = forge.pki.privateKeyFromPem(authority?.key ?? keys.privateKey)
  certificate.sign(signer, forge.md.sha256.create())
  return { certificate: forge.pki.certificateToPem(certificate).replaceAll("\r", ""), key: keys.privateKey }
}
