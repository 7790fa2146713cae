import { existsSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import { at, isTree, listAt, textAt, treeAt, type Tree } from "../../field.ts"
import { readDocuments } from "../../read/read-documents.ts"

/** Which cluster of which file; undefined: those that kubectl would take. */
export interface KubeconfigRequest {
  context?: string | undefined
  path?: string | undefined
}

/** A cluster, and who asks it. */
export interface Connection {
  server: string
  /** PEM; undefined: those that the system trusts. */
  authority?: string
  serverName?: string
  isInsecure: boolean
  namespace: string
  /** PEM. */
  certificate?: string
  key?: string
  token?: string
  basic?: string
  exec?: ExecPlugin
  impersonate?: string
  context: string
}

/** A program that gives credentials (client.authentication.k8s.io). */
export interface ExecPlugin {
  apiVersion: string
  command: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  installHint?: string
  /** It wants to know what it gives credentials for. */
  providesCluster: boolean
}

/** The files that kubectl would read, in its order. */
export function kubeconfigFiles(path?: string): string[] {
  if (path !== undefined) return [path]
  const listed = (process.env.KUBECONFIG ?? "").split(":").filter((one) => one !== "")
  return listed.length > 0 ? listed : [join(homedir(), ".kube", "config")]
}

/** All files as one document: what an earlier one says goes before. Throws NotFound where one was named that is not there. */
export function readKubeconfig(path?: string): Tree {
  const merged: Record<"clusters" | "users" | "contexts", Tree[]> = { clusters: [], users: [], contexts: [] }
  let current = ""
  for (const file of kubeconfigFiles(path)) {
    if (!existsSync(file)) {
      if (path !== undefined) throw new NotFound(`the kubeconfig "${path}" does not exist`)
      continue
    }
    const [document] = readDocuments(readFileSync(file), file)
    const config = document?.value
    if (!isTree(config)) continue
    current ||= textAt(config, "current-context")
    for (const key of ["clusters", "users", "contexts"] as const)
      for (const entry of listAt(config, key))
        if (isTree(entry) && !merged[key].some((one) => one["name"] === entry["name"]))
          merged[key].push(withPaths(entry, dirname(resolve(file))))
  }
  return { apiVersion: "v1", kind: "Config", "current-context": current, ...merged }
}

const PATHS = ["certificate-authority", "client-certificate", "client-key", "tokenFile"]

/** Paths in a file are those from its directory. */
function withPaths(entry: Tree, directory: string): Tree {
  const result: Tree = { ...entry }
  for (const part of ["cluster", "user"]) {
    const own = entry[part]
    if (!isTree(own)) continue
    const copy = { ...own }
    for (const key of PATHS)
      if (typeof copy[key] === "string" && copy[key] !== "") copy[key] = resolve(directory, copy[key])
    // a bare name is looked for in PATH
    const command = textAt(own, "exec", "command")
    if (command.includes("/")) copy["exec"] = { ...treeAt(own, "exec"), command: resolve(directory, command) }
    result[part] = copy
  }
  return result
}

/** What is needed to connect. Throws NotFound for a context that is not there, InvalidArgument for one that is not whole. */
export function connectionOf(config: Tree, asked?: string): Connection {
  const name = asked ?? textAt(config, "current-context")
  const find = (list: string, wanted: string): Tree | undefined =>
    listAt(config, list)
      .filter(isTree)
      .find((one) => one["name"] === wanted)
  const context = find("contexts", name)
  if (context === undefined)
    throw new NotFound(
      name === ""
        ? "no context is chosen in the kubeconfig"
        : `error: context "${name}" does not exist`.replace("error: ", ""),
      {
        hint: `contexts there: ${
          listAt(config, "contexts")
            .map((one) => textAt(one, "name"))
            .join(", ") || "none"
        }`,
      },
    )
  const cluster = treeAt(find("clusters", textAt(context, "context", "cluster")), "cluster")
  const user = treeAt(find("users", textAt(context, "context", "user")), "user")
  const server = textAt(cluster, "server")
  if (!/^https?:\/\//.test(server)) throw new InvalidArgument(`the context "${name}" names no cluster with a server`)
  const token = textAt(user, "token") || fileText(textAt(user, "tokenFile")).trim()
  const authority = pem(cluster, "certificate-authority")
  const certificate = pem(user, "client-certificate")
  const key = pem(user, "client-key")
  const username = textAt(user, "username")
  const exec = user["exec"]
  const serverName = textAt(cluster, "tls-server-name")
  const impersonate = textAt(user, "as")
  return {
    server: server.replace(/\/+$/, ""),
    isInsecure: cluster["insecure-skip-tls-verify"] === true,
    namespace: textAt(context, "context", "namespace") || "default",
    context: name,
    ...(authority !== "" && { authority }),
    ...(serverName !== "" && { serverName }),
    ...(certificate !== "" && { certificate }),
    ...(key !== "" && { key }),
    ...(token !== "" && { token }),
    ...(username !== "" && { basic: Buffer.from(`${username}:${textAt(user, "password")}`).toString("base64") }),
    ...(impersonate !== "" && { impersonate }),
    ...(isTree(exec) && { exec: pluginOf(exec) }),
  }
}

function pem(from: Tree, key: string): string {
  const inline = textAt(from, `${key}-data`)
  if (inline !== "") return Buffer.from(inline, "base64").toString()
  return fileText(textAt(from, key))
}

function fileText(path: string): string {
  if (path === "") return ""
  try {
    return readFileSync(path, "utf8")
  } catch (cause) {
    throw new NotFound(`"${path}", which the kubeconfig names, cannot be read`, { cause })
  }
}

function pluginOf(exec: Tree): ExecPlugin {
  const hint = textAt(exec, "installHint")
  return {
    apiVersion: textAt(exec, "apiVersion"),
    command: textAt(exec, "command"),
    args: listAt(exec, "args").map(String),
    env: Object.fromEntries(listAt(exec, "env").map((one) => [textAt(one, "name"), textAt(one, "value")])),
    providesCluster: at(exec, "provideClusterInfo") === true,
    ...(hint !== "" && { installHint: hint }),
  }
}
