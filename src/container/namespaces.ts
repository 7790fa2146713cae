/** The namespaces of a container: whose they are, found at create and opened at each start. */
import { FailedPrecondition, InvalidArgument } from "../base/errors.ts"
import type { ConfigInput } from "../runtime/runtime.ts"
import { isSameNamespace, namespaceKindAt } from "../sys/process/namespace-file.ts"
import type { Pid } from "../sys/process/process.ts"
import type { ResolvedOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { isRunning } from "./observe.ts"
import {
  NAMESPACE_KINDS,
  type IpcMode,
  type NamespaceKind,
  type NamespaceMode,
  type NamespaceOptions,
} from "./namespace-options.ts"
import type { ContainerRecord } from "./record.ts"

/** As /proc/PID/ns names them. */
const FILES = {
  network: "net",
  user: "user",
  pid: "pid",
  ipc: "ipc",
  uts: "uts",
  cgroup: "cgroup",
  time: "time",
} as const

type Shared = Pick<ConfigInput, "pid" | "ipc" | "uts" | "cgroup">

/**
 * The options with the containers that they join named by their ids, so that a rename parts nobody. Throws NotFound,
 * InvalidArgument for what a shared namespace leaves no room for.
 */
export function joinedById(deps: ContainerDeps, options: ResolvedOptions): ResolvedOptions {
  const { namespaces } = options
  if (namespaces === undefined) return options
  checkNames(options)
  const named: NamespaceOptions = { ...namespaces }
  for (const kind of NAMESPACE_KINDS) {
    const mode = namespaces[kind]
    if (mode?.kind !== "container") continue
    const owner = deps.records.get(mode.container)
    if (kind === "ipc") checkShareable(deps, owner)
    named[kind] = { kind: "container", container: owner.id }
  }
  return { ...options, namespaces: named }
}

/** The host name belongs to the uts namespace: who shares one has its name. */
function checkNames({ namespaces, hostname, domainname }: ResolvedOptions): void {
  const { uts } = namespaces ?? {}
  if (uts === undefined || uts.kind === "private") return
  for (const [field, value] of [
    ["hostname", hostname],
    ["domainname", domainname],
  ] as const)
    if (value !== undefined)
      throw new InvalidArgument(`conflicting options: ${field} and the UTS mode`, {
        field,
        hint: { do: "omit", field: "namespaces.uts" },
      })
}

/** Docker's rule: a container that did not say so shares its memory with nobody. */
function checkShareable(deps: ContainerDeps, owner: ContainerRecord): void {
  const { kind } = ipcOf(ipcOwner(deps, owner))
  if (kind === "private" || kind === "none")
    throw new FailedPrecondition(`can't join IPC of container ${owner.id}: non-shareable IPC`, {
      field: "namespaces.ipc",
      hint: `create "${owner.name}" with the IPC mode shareable`,
    })
}

const ipcOf = ({ spec }: ContainerRecord): IpcMode => spec.options.namespaces?.ipc ?? { kind: "private" }

/** Who has the namespace and the /dev/shm in the end, where one joined another that joined a third. */
function ipcOwner(deps: ContainerDeps, record: ContainerRecord): ContainerRecord {
  const mode = ipcOf(record)
  return mode.kind === "container" ? ipcOwner(deps, deps.records.get(mode.container)) : record
}

/** Whether its first process is not the first of its pid namespace. */
export function sharesPids({ spec }: ContainerRecord): boolean {
  return (spec.options.namespaces?.pid?.kind ?? "private") !== "private"
}

/** The container whose /dev/shm this one has on its own: itself, or whose it joined; undefined without a shared one. */
export function shmOwner(deps: ContainerDeps, record: ContainerRecord): ContainerRecord | undefined {
  const owner = ipcOwner(deps, record)
  return ipcOf(owner).kind === "shareable" ? owner : undefined
}

/** What `config.json` says of the namespaces that are not the container's own. Throws FailedPrecondition when an owner does not run. */
export function sharedWith(deps: ContainerDeps, { spec }: ContainerRecord): Shared {
  const { pid, uts, cgroup, ipc } = spec.options.namespaces ?? {}
  return {
    ...placed(deps, "pid", pid),
    ...placed(deps, "uts", uts),
    ...placed(deps, "cgroup", cgroup),
    ...placed(deps, "ipc", ipc?.kind === "shareable" || ipc?.kind === "none" ? undefined : ipc),
  }
}

function placed(deps: ContainerDeps, kind: keyof Shared, mode: NamespaceMode | undefined): Shared {
  if (mode === undefined || mode.kind === "private") return {}
  if (mode.kind === "host") return { [kind]: "host" }
  const path = namespacePath(deps, kind, mode)
  // whose namespace is the host's shares that: a runtime takes the path of its own for a mistake
  return { [kind]: isSameNamespace(path, `/proc/self/ns/${FILES[kind]}`) ? "host" : { path } }
}

/** The path that opens the namespace of a joined container, or the given one. Throws FailedPrecondition. */
export function namespacePath(
  deps: ContainerDeps,
  kind: NamespaceKind | "network" | "user",
  mode: Extract<NamespaceMode, { kind: "container" | "path" }>,
): string {
  if (mode.kind === "container") return `/proc/${joinedPid(deps, kind, mode.container)}/ns/${FILES[kind]}`
  if (namespaceKindAt(mode.path) !== FILES[kind])
    throw new FailedPrecondition(`"${mode.path}" is no ${kind} namespace`, {
      field: kind === "network" ? kind : `namespaces.${kind}`,
      hint: `such as /proc/PID/ns/${FILES[kind]} of a process that runs`,
    })
  return mode.path
}

/** The first process of the container that is joined. Throws NotFound, FailedPrecondition when it does not run. */
function joinedPid(deps: ContainerDeps, kind: string, container: string): Pid {
  const owner = deps.records.get(container)
  if (!isRunning(owner, deps) || owner.state.pid === undefined)
    throw new FailedPrecondition(`cannot join the ${kind} namespace of container "${owner.name}": it is not running`, {
      hint: { do: "start", container: owner.name },
    })
  return owner.state.pid
}
