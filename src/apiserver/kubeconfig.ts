import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { dirname } from "node:path"
import { atomicWrite } from "../base/atomic-write.ts"
import { kubeYaml } from "../kube/kube.ts"

/** What a client needs to know. */
export interface Access {
  url: string
  /** File of the authority's certificate. */
  authority: string
  /** How he is known: by a token, or by a certificate with its key, in PEM. */
  user: { token: string } | { name: string; cert: string; key: string }
}

const NAME = "skiff"

/** Writes a kubeconfig that its owner alone reads: it holds a token that may do all. */
export function writeKubeconfig(path: string, access: Access): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  atomicWrite(path, Buffer.from(kubeconfigText(access)), { mode: 0o600, durable: false })
}

const base64 = (text: string): string => Buffer.from(text).toString("base64")

/** Who reads it is who it names. */
export function kubeconfigText({ url, authority, user }: Access): string {
  const name = "name" in user ? user.name : NAME
  const credentials =
    "token" in user
      ? { token: user.token }
      : { "client-certificate-data": base64(user.cert), "client-key-data": base64(user.key) }
  return kubeYaml({
    apiVersion: "v1",
    kind: "Config",
    "current-context": NAME,
    clusters: [
      {
        name: NAME,
        cluster: { server: url, "certificate-authority-data": readFileSync(authority).toString("base64") },
      },
    ],
    contexts: [{ name: NAME, context: { cluster: NAME, user: name, namespace: "default" } }],
    users: [{ name, user: credentials }],
  })
}

/** The address in a kubeconfig that was written here; undefined: there is none. */
export function writtenUrl(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  return /^ +server: (\S+)$/m.exec(readFileSync(path, "utf8"))?.[1]
}
