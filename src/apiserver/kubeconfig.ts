import { mkdirSync, readFileSync } from "node:fs"
import { dirname } from "node:path"
import { atomicWrite } from "../base/atomic-write.ts"
import { kubeYaml } from "../kube/kube.ts"

/** What a client needs to know. */
export interface Access {
  url: string
  /** File of the authority's certificate. */
  authority: string
  token: string
}

const NAME = "skiff"

/** Writes a kubeconfig that its owner alone reads: it holds a token that may do all. */
export function writeKubeconfig(path: string, { url, authority, token }: Access): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": NAME,
    clusters: [
      {
        name: NAME,
        cluster: { server: url, "certificate-authority-data": readFileSync(authority).toString("base64") },
      },
    ],
    contexts: [{ name: NAME, context: { cluster: NAME, user: NAME, namespace: "default" } }],
    users: [{ name: NAME, user: { token } }],
  }
  atomicWrite(path, Buffer.from(kubeYaml(config)), { mode: 0o600, durable: false })
}
