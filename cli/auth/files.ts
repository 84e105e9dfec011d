import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Result } from "effect"
import type { TopologySpec } from "#bus/Topology.ts"
import type * as Certificates from "./certificates.ts"
import { envFileOf, type Method, newSecret, proofOf, type Secret, secretIn } from "./credentials.ts"
import { type ProvedUser, serverConfigOf } from "./serverConfig.ts"
import type { AuthUser } from "./users.ts"

const CONFIG_FILE = "accounts.conf"
const envFileName = (user: string): string => `${user}.env`
const seedFileName = (user: string): string => `${user}.nk`
export const tlsFiles = { ca: "tls/ca.pem", caKey: "tls/ca.key", server: "tls/server.pem", serverKey: "tls/server.key" }

/** A file as it is to be; `isSecret` = for its owner's eyes only. */
export interface AuthFile {
  readonly name: string
  readonly content: string
  readonly isSecret: boolean
}

export interface AuthPlan {
  /** An absolute path. */
  readonly folder: string
  readonly users: ReadonlyArray<AuthUser>
  readonly method: Method
  /** Names and addresses of the server, and how certificates are made: that is loaded only where some are wanted. */
  readonly tls?: { readonly hosts: ReadonlyArray<string>; readonly certificates: typeof Certificates }
  readonly force: boolean
  readonly nowMillis: number
  readonly random: (bytes: number) => Uint8Array
}

type Read = (name: string) => string | undefined

/** What is in the folder now. */
export const readerOf =
  (folder: string): Read =>
  (name) =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : undefined

/** All files, or every problem with those that are there. Secrets, authority and, unless forced, the server's certificate that are there already stay as they are. */
export const authFiles = (
  plan: AuthPlan,
  spec: TopologySpec,
  read: Read
): Result.Result<ReadonlyArray<AuthFile>, ReadonlyArray<string>> => {
  const kept = plan.users.map((user) => secretOf(plan, user, read))
  const problems = kept.flatMap((one) => (Result.isFailure(one) ? [one.failure] : []))
  if (problems.length > 0) return Result.fail(problems)
  const known = kept.filter(Result.isSuccess).map(({ success }) => success)
  const tls = certificateFiles(plan, read)
  const caFile = tls.length === 0 ? undefined : join(plan.folder, tlsFiles.ca)
  return Result.succeed([
    {
      name: CONFIG_FILE,
      content: serverConfigOf(
        known.map(({ user }) => user),
        spec
      ),
      isSecret: plan.method === "passwords"
    },
    ...known.flatMap((one) => userFiles(one, plan.method, caFile)),
    ...tls
  ])
}

interface Known {
  readonly user: ProvedUser
  readonly secret: Secret
}

const secretOf = ({ method, random }: AuthPlan, user: AuthUser, read: Read): Result.Result<Known, string> => {
  const file = envFileName(user.name)
  const existing = read(file)
  const secret = existing === undefined ? newSecret(method, random) : secretIn(existing, method)
  const advice = `${file}: move it away, and new credentials are made`
  if (secret === undefined) return Result.fail(`${advice}; it holds none of the kind asked for (${method})`)
  return Result.mapBoth(proofOf(secret, method), {
    onFailure: (why) => `${advice}; ${why}`,
    onSuccess: (proof) => ({ user: { ...user, proof }, secret })
  })
}

const userFiles = ({ user, secret }: Known, method: Method, caFile: string | undefined): ReadonlyArray<AuthFile> => [
  { name: envFileName(user.name), content: envFileOf(user, secret, method, caFile), isSecret: true },
  ...(method === "nkeys" ? [{ name: seedFileName(user.name), content: `${secret}\n`, isSecret: true }] : [])
]

const certificateFiles = (plan: AuthPlan, read: Read): ReadonlyArray<AuthFile> => {
  const { tls, nowMillis, random, force } = plan
  if (tls === undefined) return []
  const { isFor, newAuthority, newServerCertificate } = tls.certificates
  const authority = pemIn(read, tlsFiles.ca, tlsFiles.caKey) ?? newAuthority(nowMillis, random(SERIAL_BYTES))
  const known = pemIn(read, tlsFiles.server, tlsFiles.serverKey)
  const isKept = known !== undefined && !force && isFor(known, tls.hosts)
  const server = isKept ? known : newServerCertificate(authority, tls.hosts, nowMillis, random(SERIAL_BYTES))
  return [
    { name: tlsFiles.ca, content: authority.certificate, isSecret: false },
    { name: tlsFiles.caKey, content: authority.key, isSecret: true },
    { name: tlsFiles.server, content: server.certificate, isSecret: false },
    { name: tlsFiles.serverKey, content: server.key, isSecret: true }
  ]
}

const SERIAL_BYTES = 16

const pemIn = (read: Read, certificateFile: string, keyFile: string): Certificates.Pem | undefined => {
  const [certificate, key] = [read(certificateFile), read(keyFile)]
  return certificate === undefined || key === undefined ? undefined : { certificate, key }
}

type FileState = "new" | "changed" | "kept"

export const stateOf = ({ name, content }: AuthFile, read: Read): FileState => {
  const existing = read(name)
  if (existing === undefined) return "new"
  return existing === content ? "kept" : "changed"
}

const FOR_OWNER = 0o600
const FOR_ALL = 0o644
const FOLDER_FOR_OWNER = 0o700

export const writeFiles = (files: ReadonlyArray<AuthFile>, folder: string): void => {
  for (const { name, content, isSecret } of files) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true, mode: FOLDER_FOR_OWNER })
    writeFileSync(path, content, { mode: isSecret ? FOR_OWNER : FOR_ALL })
    chmodSync(path, isSecret ? FOR_OWNER : FOR_ALL)
  }
}
