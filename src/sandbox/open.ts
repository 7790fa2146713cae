import { runAll } from "../base/run-all.ts"
import { throwIfAborted, type Cancellable } from "../base/cancel.ts"
import { crashPoint } from "../base/crash-point.ts"
import { FailedPrecondition, InvalidArgument, isSkiffError, Unavailable } from "../base/errors.ts"
import { namesIn } from "../base/names-in.ts"
import { randomHex } from "../base/random-hex.ts"
import { shortId } from "../base/short-id.ts"
import { SystemError } from "../sys/libc.ts"
import type { SandboxDeps } from "./deps.ts"
import { makeNamespaces, namespacePaths, releaseNamespaces, sandboxDirectory } from "./namespaces.ts"
import { SandboxRecords, type SandboxRecord } from "./records.ts"
import type { Sandbox, Sandboxes, SandboxFilter, SandboxId } from "./sandbox.ts"

const ALL = ["network", "ipc", "uts"] as const
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,252}$/

/** The sandboxes of one store. */
export function openSandboxes(deps: SandboxDeps): Sandboxes {
  const records = new SandboxRecords(deps.db, deps.events)
  const directory = (id: string) => sandboxDirectory(deps, id)

  const toSandbox = ({ id, name, createdAt, options, state }: SandboxRecord): Sandbox => {
    const paths = namespacePaths(directory(id), options.sharePid)
    const shared = [...(options.shares ?? ALL), ...(options.sharePid ? (["pid"] as const) : [])]
    const namespaces = Object.fromEntries(shared.map((kind) => [kind, paths[kind]]))
    const isReady = state.status === "ready" && state.bootId === deps.bootId
    return {
      id,
      name,
      createdAt: new Date(createdAt),
      options,
      state: isReady ? { status: "ready", namespaces, shm: `${directory(id)}/shm` } : { status: "stopped" },
      ...(state.cgroupPath === undefined ? {} : { cgroupPath: state.cgroupPath }),
      ...(state.startedAt === undefined ? {} : { startedAt: new Date(state.startedAt) }),
      endpoints: isReady ? state.endpoints : [],
    }
  }

  const joinNetworks = async (record: SandboxRecord, signal: AbortSignal | undefined): Promise<void> => {
    const { id, options, state } = record
    if (options.networks.length === 0) return
    const networks = await deps.networks()
    const { interfaces, uplink } = networks.arrange(options.networks)
    for (const [index, { network: name, address, address6, macAddress, aliases = [] }] of options.networks.entries()) {
      const network = networks.get(name)
      const isUplink = index === uplink
      const endpoint = {
        containerId: id,
        netns: `${directory(id)}/net`,
        interface: interfaces[index] ?? `eth${index}`,
        defaultRoute: isUplink,
        hostname: options.hostname,
        ports: isUplink ? options.ports : [],
        address,
        address6,
        macAddress,
        sysctls: options.networks[index]?.sysctls,
        allow: options.allow,
        names: [...new Set([options.hostname, ...aliases, record.name, shortId(id)])],
      }
      const status = await networks.setup(network, endpoint, { signal })
      state.endpoints = [...state.endpoints, { ...status, networkId: network.id }]
      crashPoint("sandbox:network-joined")
    }
  }

  const forgetLeases = async ({ id, options }: SandboxRecord): Promise<void> => {
    if (options.networks.length > 0) (await deps.networks()).release(id)
  }

  /** Addresses that were asked for are the sandbox's until its removal. */
  const lease = async ({ id, options }: SandboxRecord): Promise<void> => {
    const asking = options.networks.filter(({ address, address6 }) => address !== undefined || address6 !== undefined)
    if (asking.length === 0) return
    const networks = await deps.networks()
    for (const { network, address, address6 } of asking)
      networks.lease(networks.get(network), { containerId: id, address, address6 })
  }

  const release = async ({ id, options, state }: SandboxRecord): Promise<void> => {
    const networks = options.networks.length === 0 ? undefined : await deps.networks()
    await runAll(`clean-up of sandbox ${id}`, [
      ...options.networks.map(({ network: name }, index) => async () => {
        try {
          await networks?.teardown(networks.get(name), id, state.endpoints[index])
        } catch (error) {
          // a network that is gone has nothing of ours any more
          if (!isSkiffError(error, "NotFound")) throw error
        }
      }),
      () => releaseNamespaces(directory(id), state),
      async () => {
        const { cgroup } = options
        if (cgroup) await (await deps.cgroups()).remove(id, cgroup.limits, cgroup.parent)
      },
    ])
  }

  /** The caller holds the lock. All that was made is taken back when a step fails. */
  const makeReady = async (record: SandboxRecord, signal: AbortSignal | undefined): Promise<void> => {
    const { startedAt, cgroupPath } = record.state
    record.state = { status: "starting", bootId: deps.bootId, endpoints: [], startedAt, cgroupPath }
    records.save(record)
    crashPoint("sandbox:starting")
    try {
      const { cgroup } = record.options
      if (cgroup) await (await deps.cgroups()).make(record.id, cgroup.limits, cgroup.parent)
      Object.assign(record.state, await makeNamespaces(directory(record.id), record.options, deps))
      // with the pause program written down it is found, whoever is killed now
      records.save(record)
      crashPoint("sandbox:namespaces-made")
      throwIfAborted(signal, `the start of sandbox "${record.name}"`)
      await joinNetworks(record, signal)
      record.state.status = "ready"
      record.state.startedAt = Date.now()
      records.save(record, "start")
    } catch (error) {
      await stopNow(record)
      throw error
    }
  }

  const stopNow = async (record: SandboxRecord, action?: string): Promise<void> => {
    await release(record)
    const { startedAt, cgroupPath } = record.state
    record.state = { status: "stopped", bootId: deps.bootId, endpoints: [], startedAt, cgroupPath }
    records.save(record, action)
  }

  /** Takes back what was begun and not finished, or belongs to another boot. Gives the record as it is then. */
  const reconciled = async (id: string): Promise<SandboxRecord | undefined> => {
    const record = records.byId(id)
    if (!record) return undefined
    if (record.state.status === "removing") return removeNow(record)
    const isStale = record.state.status !== "stopped" && record.state.bootId !== deps.bootId
    if (record.state.status === "starting" || isStale) await stopNow(record)
    return record
  }

  const removeNow = async (record: SandboxRecord): Promise<undefined> => {
    record.state.status = "removing"
    records.save(record)
    crashPoint("sandbox:removing")
    await release(record)
    await forgetLeases(record)
    records.delete(record)
  }

  /** Under its lock, with the record as it is now. */
  const change = async <T>(
    nameOrId: string,
    { signal }: Cancellable,
    body: (record: SandboxRecord) => Promise<T>,
  ): Promise<T> => {
    const { id, name } = records.get(nameOrId)
    throwIfAborted(signal, `the change of sandbox "${name}"`)
    using lock = await deps.locks.acquire(id, { signal })
    const record = await reconciled(id)
    if (!record) lock.unlink()
    // awaited here: the lock goes with this scope
    return await body(record ?? records.get(id))
  }

  return {
    list: (filter = {}) =>
      records
        .list()
        .map(toSandbox)
        .filter((sandbox) => fits(sandbox, filter)),
    get: (nameOrId) => toSandbox(records.get(nameOrId)),

    async create(options, { signal, start = true, id = randomHex(32) as SandboxId } = {}) {
      if (!NAME.test(options.name))
        throw new InvalidArgument(`invalid sandbox name "${options.name.slice(0, 100)}"`, {
          field: "name",
          hint: "a name has letters, digits, `_`, `.` and `-`, and begins with a letter or digit",
        })
      throwIfAborted(signal, `the start of sandbox "${options.name}"`)
      const { cgroup } = options
      if (cgroup) (await deps.cgroups()).check(cgroup.limits, cgroup.parent)
      using lock = await deps.locks.acquire(id)
      const status = start ? "starting" : "stopped"
      const cgroupPath = cgroup && (await deps.cgroups()).path(id, cgroup.limits, cgroup.parent)
      const state = { status, bootId: deps.bootId, endpoints: [], cgroupPath } as const
      const record: SandboxRecord = { id, name: options.name, createdAt: Date.now(), options, state }
      records.insert(record)
      try {
        await lease(record)
        if (start) await makeReady(record, signal)
      } catch (error) {
        await forgetLeases(record)
        records.delete(record)
        lock.unlink()
        throw error
      }
      return toSandbox(record)
    },

    start: (nameOrId, cancellable = {}) =>
      change(nameOrId, cancellable, async (record) => {
        if (record.state.status !== "ready") await makeReady(record, cancellable.signal)
        return toSandbox(record)
      }),

    stop: (nameOrId, { unless, ...cancellable } = {}) =>
      change(nameOrId, cancellable, async (record) => {
        if (record.state.status !== "stopped" && unless?.() !== true) await stopNow(record, "stop")
      }),

    async remove(nameOrId, { signal } = {}) {
      const { id, name } = records.get(nameOrId)
      throwIfAborted(signal, `the removal of sandbox "${name}"`)
      using lock = await deps.locks.acquire(id, { signal })
      const record = await reconciled(id)
      const [user] = deps.usedBy(id)
      if (record && user !== undefined)
        throw new FailedPrecondition(`sandbox "${record.name}" is in use by container "${user}"`, {
          hint: "remove its containers first",
        })
      if (record) await removeNow(record)
      lock.unlink()
    },

    async connect(nameOrId, port) {
      const { name, state } = toSandbox(records.get(nameOrId))
      if (state.status !== "ready")
        throw new FailedPrecondition(`sandbox "${name}" is not ready`, { hint: "start it first" })
      const { connectLoopback } = await import("../sys/net/loopback-connection.ts")
      try {
        return await connectLoopback(port, state.namespaces.network, deps.oneWay)
      } catch (cause) {
        throw new Unavailable(`cannot connect to port ${port} in sandbox "${name}": ${reasonOf(cause)}`, { cause })
      }
    },

    async reconcile() {
      const known = new Map(records.list().map((record) => [record.id as string, record]))
      for (const id of new Set([...known.keys(), ...namesIn(`${deps.runRoot}/sandboxes`)])) {
        // who is at work on it holds its lock
        using lock = deps.locks.tryAcquire(id)
        if (!lock) continue
        if (!known.has(id)) releaseNamespaces(directory(id), {})
        if (!(await reconciled(id))) lock.unlink()
      }
    },
  }
}

function reasonOf(error: unknown): string {
  return error instanceof SystemError ? error.errnoName : String(error)
}

function fits({ name, id, options }: Sandbox, { name: names, label }: SandboxFilter): boolean {
  if (names && !names.some((wanted) => name.includes(wanted) || id.startsWith(wanted))) return false
  return (label ?? []).every((wanted) => {
    const at = wanted.indexOf("=")
    const key = at < 0 ? wanted : wanted.slice(0, at)
    const value = Object.hasOwn(options.labels, key) ? options.labels[key] : undefined
    return value !== undefined && (at < 0 || value === wanted.slice(at + 1))
  })
}
