/**
 * Network namespaces: what must be done inside one, by a process that stays where it is.
 *
 * Only the calling thread changes its namespace, and a socket stays in the one where it was opened. So a visit opens sockets
 * and writes settings, and all further work goes through those sockets from outside.
 */
import { closeSync, fstatSync, openSync, statSync, writeFileSync } from "node:fs"
import { check, libc, O_CLOEXEC, O_NONBLOCK } from "../libc.ts"
import { configureNetlink, NETLINK_NETFILTER, NETLINK_ROUTE, openNetlink } from "./netlink.ts"

const CLONE_NEWNET = 0x40000000
const CLONE_NEWUTS = 0x04000000
/** socket(2). */
export const AF_INET = 2
/** socket(2). */
export const AF_INET6 = 10
const STREAM = 1 | O_CLOEXEC | O_NONBLOCK

/** Settings below /proc/sys, as `[name, value]`; one that the kernel does not have is passed over. */
export type Sysctls = readonly (readonly [name: string, value: string])[]

/** Which sockets are opened in a namespace. */
export interface NetnsVisit {
  /** Open namespace, `openNetns`. */
  netns: number
  route?: boolean
  netfilter?: boolean
  /** One of IPv4 and one of IPv6, that block nobody. */
  streams?: boolean
  sysctls?: Sysctls
  /** Of the uts namespace beside it: names to be set there, where /proc/sys is not ours to write. `oneWay` visits only. */
  names?: { uts: number; hostname: string; domainname: string }
}

/** Descriptors of sockets in that namespace; undefined kinds were not asked for. */
export interface NetnsSockets {
  route: number
  netfilter: number
  /** TCP. */
  stream4: number
  stream6: number
}

/** Opens a namespace: `/proc/PID/ns/net` or a bind mount of one. */
export function openNetns(path: string): number {
  return openSync(path, "r")
}

/** Whether both are the same namespace. */
export function isSameNetns(fd: number, path: string): boolean {
  const [one, other] = [fstatSync(fd), statSync(path)]
  return one.ino === other.ino && one.dev === other.dev
}

/**
 * Visits each namespace in turn, giving the sockets opened there (-1: not asked for).
 *
 * `oneWay`: this thread could not come back, since its own namespace belongs to a user namespace outside ours (rootless);
 * then a thread made for the purpose does it, and ends in the last one.
 */
export async function visitNetns(visits: readonly NetnsVisit[], oneWay: boolean): Promise<NetnsSockets[]> {
  if (!oneWay) return visits.map((visit) => inNetns(visit.netns, () => act(visit)))
  const sockets = await visitInThread(visits)
  for (const { route, netfilter } of sockets) for (const fd of [route, netfilter]) if (fd >= 0) configureNetlink(fd)
  return sockets
}

/** This thread, and what it starts and opens from now on, is in the namespace. There may be no way back. */
export function enterNetns(path: string): void {
  const netns = openNetns(path)
  try {
    check(libc.setns(netns, CLONE_NEWNET), "setns")
  } finally {
    closeSync(netns)
  }
}

/** Runs `body` in the namespace. It must be synchronous: whatever is awaited would run in the wrong one. */
export function inNetns<T>(netns: number, body: () => T): T {
  const own = openNetns("/proc/thread-self/ns/net")
  try {
    check(libc.setns(netns, CLONE_NEWNET), "setns")
    try {
      return body()
    } finally {
      // staying would put every later socket and child into the container: there is no sane way on
      check(libc.setns(own, CLONE_NEWNET), "setns", "back to the own network namespace")
    }
  } finally {
    closeSync(own)
  }
}

function act(visit: NetnsVisit): NetnsSockets {
  for (const [name, value] of visit.sysctls ?? []) writeSysctl(name, value)
  return {
    route: visit.route ? openNetlink(NETLINK_ROUTE) : -1,
    netfilter: visit.netfilter ? openNetlink(NETLINK_NETFILTER) : -1,
    stream4: visit.streams ? check(libc.socket(AF_INET, STREAM, 0), "socket") : -1,
    // a kernel without IPv6 has none
    stream6: visit.streams ? libc.socket(AF_INET6, STREAM, 0) : -1,
  }
}

/** Writes a setting of the calling thread's namespace; does nothing where the kernel lacks it (no IPv6). */
function writeSysctl(name: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/${name}`, value)
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error
  }
}

/**
 * A network namespace of nobody's yet: it lives as long as the descriptor, or a process in it. `oneWay` as in `visitNetns`.
 */
export async function createNetns(sysctls: Sysctls, oneWay: boolean): Promise<number> {
  if (oneWay) return createInThread(sysctls)
  const own = openNetns("/proc/thread-self/ns/net")
  try {
    check(libc.unshare(CLONE_NEWNET), "unshare")
    try {
      for (const [name, value] of sysctls) writeSysctl(name, value)
      return openNetns("/proc/thread-self/ns/net")
    } finally {
      check(libc.setns(own, CLONE_NEWNET), "setns", "back to the own network namespace")
    }
  } finally {
    closeSync(own)
  }
}

/**
 * The same as `inNetns` and `act`, as the text of a thread: a thread has no other way to be a part of one executable. It imports
 * nothing but the C library, for it is in the way of each start of a container: 5 ms of CPU time, and 23 with node:worker_threads.
 */
const THREAD_SOURCE = `
import { dlopen, ptr } from "bun:ffi"
const { symbols: c } = dlopen("libc.so.6", {
  unshare: { args: ["i32"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  open: { args: ["ptr", "i32"], returns: "i32" },
  write: { args: ["i32", "ptr", "u64_fast"], returns: "i64_fast" },
  close: { args: ["i32"], returns: "i32" },
  sethostname: { args: ["ptr", "u64_fast"], returns: "i32" },
  setdomainname: { args: ["ptr", "u64_fast"], returns: "i32" },
})
const bytes = (text) => new TextEncoder().encode(text)
const check = (result, what) => { if (result < 0) throw new Error("cannot " + what); return result }
const open = (path, flags) => c.open(ptr(bytes(path + "\\0")), flags | ${0o2000000})
const netlink = (protocol) => check(c.socket(16, ${3 | 0o2000000}, protocol), "open a netlink socket")
const setName = (call, text) => {
  const name = bytes(text)
  if (name.length > 0) check(c[call](ptr(name), name.length), call)
}
const stream = (family) => c.socket(family, ${STREAM}, 0)
const visit = ({ netns, route, netfilter, streams, sysctls = [], names }) => {
  if (names) {
    check(c.setns(names.uts, ${CLONE_NEWUTS}), "enter the uts namespace")
    setName("sethostname", names.hostname)
    setName("setdomainname", names.domainname)
  }
  check(netns < 0 ? c.unshare(${CLONE_NEWNET}) : c.setns(netns, ${CLONE_NEWNET}), "enter the network namespace")
  for (const [name, value] of sysctls) {
    const fd = open("/proc/sys/" + name, 1)
    if (fd < 0) continue
    const text = bytes(value)
    const written = c.write(fd, ptr(text), text.length)
    c.close(fd)
    check(Number(written), "write " + name)
  }
  if (netns < 0) return { created: check(open("/proc/thread-self/ns/net", 0), "open the new network namespace") }
  return {
    route: route ? netlink(${NETLINK_ROUTE}) : -1,
    netfilter: netfilter ? netlink(${NETLINK_NETFILTER}) : -1,
    stream4: streams ? check(stream(${AF_INET}), "open a socket") : -1,
    stream6: streams ? stream(${AF_INET6}) : -1,
  }
}
self.onmessage = ({ data: { id, visits } }) => {
  try {
    postMessage({ id, sockets: visits.map(visit) })
  } catch (error) {
    postMessage({ id, error: String(error) })
  }
}
`

async function visitInThread(visits: readonly NetnsVisit[]): Promise<NetnsSockets[]> {
  return (await inThread(visits)) as NetnsSockets[]
}

async function createInThread(sysctls: Sysctls): Promise<number> {
  const [made] = (await inThread([{ netns: -1, sysctls }])) as { created: number }[]
  if (made === undefined) throw new Error("the thread gave no network namespace")
  return made.created
}

interface ThreadAnswer {
  id: number
  sockets?: unknown[]
  error?: string
}

/** One thread for the life of the process; it goes from namespace to namespace, and never home. */
let thread: { worker: Worker; waiting: Map<number, (answer: ThreadAnswer) => void> } | undefined
let lastId = 0

/** Starts the thread for visits without return, so that the first need not wait for it. Safe to repeat. */
function startNetnsThread(): void {
  if (thread !== undefined) return
  const url = URL.createObjectURL(new Blob([THREAD_SOURCE]))
  const worker = new Worker(url, { smol: true })
  const waiting = new Map<number, (answer: ThreadAnswer) => void>()
  worker.addEventListener("message", ({ data }: MessageEvent<ThreadAnswer>) => waiting.get(data.id)?.(data))
  worker.addEventListener("error", ({ message }) => {
    for (const [id, resolve] of waiting) resolve({ id, error: message })
    thread = undefined
  })
  // a thread that waits for work is no reason to live on
  worker.unref()
  thread = { worker, waiting }
}

/** A visit of namespace -1 makes one. */
async function inThread(visits: readonly NetnsVisit[]): Promise<unknown[]> {
  startNetnsThread()
  const { worker, waiting } = thread ?? never()
  const id = ++lastId
  worker.ref()
  const answer = await new Promise<ThreadAnswer>((resolve) => {
    waiting.set(id, resolve)
    worker.postMessage({ id, visits }, [])
  })
  waiting.delete(id)
  if (waiting.size === 0) worker.unref()
  if (answer.sockets === undefined) throw new Error(`in the rootless network namespace: ${answer.error}`)
  return answer.sockets
}

function never(): never {
  throw new Error("no thread was started")
}
