/** One container, from the kernel's own words while it runs, and from its record. */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import type { ContainerDetails } from "../container/container.ts"
import type { EndpointStatus } from "../network/network.ts"
import type { OciConfig } from "../spec/oci-runtime.ts"
import type { ExplainDeps } from "./deps.ts"
import type { ContainerExplanation, LiveExplanation, SeccompFact } from "./container-explanation.ts"
import { cgroupFacts } from "./live/cgroups.ts"
import { mountTable, topMounts } from "./live/mount-table.ts"
import { namespaceFacts } from "./live/namespaces.ts"
import { processFacts } from "./live/process.ts"
import { securityModules } from "./live/security-modules.ts"
import { routeFacts } from "./live/routes.ts"

/** See `Explanations.container`. */
export async function explainContainer(deps: ExplainDeps, nameOrId: string): Promise<ContainerExplanation> {
  const containers = await deps.containers()
  const details = await containers.inspect(nameOrId)
  const { id, name, imageName, argv, state, ending, options } = details
  const names = new Map(
    containers.list({ all: true }).flatMap((one) => ("pid" in one.state ? [[one.state.pid as number, one.name]] : [])),
  )
  const live = "pid" in state ? await explainLive(deps, details, state.pid, names) : undefined
  return {
    id,
    name,
    image: imageName,
    status: state.status,
    argv,
    options,
    mounts: details.mounts,
    ...(ending === undefined ? {} : { ending }),
    ...(live === undefined ? {} : { live }),
  }
}

/** Undefined when it ends while we look. */
async function explainLive(
  deps: ExplainDeps,
  { id, attachments, storage, options }: ContainerDetails,
  pid: number,
  names: ReadonlyMap<number, string>,
): Promise<LiveExplanation | undefined> {
  try {
    const mounts = topMounts(mountTable(pid))
    const isJoined = attachments.some(({ endpoint }) => endpoint !== undefined)
    // of a pod the sandbox has the interfaces
    const owner = isJoined ? id : options.sandbox
    const network =
      owner === undefined ? undefined : await (await deps.networks()).observe(owner, `/proc/${pid}/ns/net`)
    const endpoints = isJoined
      ? attachments.map(({ endpoint }) => endpoint)
      : await sandboxEndpoints(deps, options.sandbox)
    const config = await readConfig(deps, id)
    return {
      pid,
      namespaces: namespaceFacts(pid, id, names),
      cgroup: cgroupFacts(pid),
      layers: layersOf(mounts, storage.upperDirectory),
      mounts,
      access: await (await deps.containers()).mountAccess(id),
      routes: routeFacts(pid),
      process: processFacts(pid),
      securityModules: securityModules(),
      ...(network === undefined ? {} : { network }),
      ports: endpoints.flatMap((endpoint) => endpoint?.ports ?? []),
      nameServers: endpoints.flatMap((endpoint) => endpoint?.nameServer ?? []),
      ...(config === undefined ? {} : { seccomp: seccompOf(config), maskedPaths: config.linux.maskedPaths ?? [] }),
    }
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT" || (error as { code?: unknown }).code === "ESRCH")
      return undefined
    throw error
  }
}

async function sandboxEndpoints(deps: ExplainDeps, sandbox: string | undefined): Promise<readonly EndpointStatus[]> {
  return sandbox === undefined ? [] : (await deps.sandboxes()).get(sandbox).endpoints
}

/** The layers of the root, the topmost first. overlayfs was given names relative to where all of them lie. */
function layersOf(mounts: LiveExplanation["mounts"], upperDirectory: string): LiveExplanation["layers"] {
  const root = mounts.find(({ target }) => target === "/")
  const option = (name: string): string | undefined =>
    root?.superOptions.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1)
  const upper = option("upperdir")
  const base = upper !== undefined && upperDirectory.endsWith(upper) ? upperDirectory.slice(0, -upper.length) : ""
  return {
    type: root?.type ?? "",
    lower:
      option("lowerdir")
        ?.split(":")
        .map((path) => resolve(base, path)) ?? [],
    ...(upper === undefined ? {} : { upper: resolve(base, upper) }),
  }
}

/** What the runtime was given: the kernel keeps of a filter only that there is one. */
async function readConfig(deps: ExplainDeps, id: string): Promise<OciConfig | undefined> {
  try {
    return JSON.parse(readFileSync((await deps.runtimes()).bundle(id).config, "utf8")) as OciConfig
  } catch {
    return undefined
  }
}

function seccompOf({ linux: { seccomp } }: OciConfig): SeccompFact | undefined {
  if (seccomp === undefined) return undefined
  const allowed = seccomp.syscalls.flatMap(({ action, names }) => (action === "SCMP_ACT_ALLOW" ? names : []))
  return { rules: seccomp.syscalls.length, allowedCalls: new Set(allowed).size, defaultAction: seccomp.defaultAction }
}
