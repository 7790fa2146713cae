import { FailedPrecondition, NotFound } from "../../../base/errors.ts"
import { run } from "../../../sys/process/process.ts"
import { isTree, textAt } from "../../field.ts"
import type { Connection } from "./kubeconfig.ts"

/** What a plugin gave. */
export interface PluginCredential {
  token?: string
  certificate?: string
  key?: string
  /** Milliseconds since 1970. */
  expiresAt?: number
}

/** Runs the program of a kubeconfig that gives credentials (EKS, GKE, AKS have such). Throws NotFound, FailedPrecondition. */
export async function pluginCredential(connection: Connection): Promise<PluginCredential> {
  const { exec } = connection
  if (exec === undefined) return {}
  const info = {
    apiVersion: exec.apiVersion || "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    spec: {
      interactive: false,
      ...(exec.providesCluster && {
        cluster: {
          server: connection.server,
          ...(connection.authority !== undefined && {
            "certificate-authority-data": Buffer.from(connection.authority).toString("base64"),
          }),
        },
      }),
    },
  }
  const env = { ...process.env, ...exec.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) } as Record<string, string>
  const done = await run([exec.command, ...exec.args], { env }).catch((cause: unknown) => {
    throw new NotFound(`the credential plugin "${exec.command}" of context "${connection.context}" cannot be run`, {
      hint: exec.installHint ?? "install it, or take it out of the kubeconfig",
      cause,
    })
  })
  if (done.code !== 0)
    throw new FailedPrecondition(
      `the credential plugin "${exec.command}" ended with ${done.code}: ${done.stderr.trim().slice(-500)}`,
    )
  return credentialOf(done.stdout, exec.command)
}

function credentialOf(text: string, command: string): PluginCredential {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw new FailedPrecondition(`the credential plugin "${command}" wrote no JSON`, { cause })
  }
  const status = isTree(document) ? document["status"] : undefined
  const read = (key: string): string => textAt(status, key)
  const expires = Date.parse(read("expirationTimestamp"))
  if (read("token") === "" && read("clientCertificateData") === "")
    throw new FailedPrecondition(`the credential plugin "${command}" gave neither a token nor a certificate`)
  return {
    ...(read("token") !== "" && { token: read("token") }),
    ...(read("clientCertificateData") !== "" && {
      certificate: read("clientCertificateData"),
      key: read("clientKeyData"),
    }),
    ...(!Number.isNaN(expires) && { expiresAt: expires }),
  }
}
