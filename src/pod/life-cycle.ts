import type { Cancellable } from "../base/cancel.ts"
import { crashPoint } from "../base/crash-point.ts"
import { FailedPrecondition } from "../base/errors.ts"
import type { Container } from "../container/container.ts"
import { parseSignal } from "../sys/process/signals.ts"
import { changePod, containersOf, forContainers } from "./change.ts"
import { ensureSandbox } from "./create.ts"
import type { PodDeps } from "./deps.ts"
import type { PodStop } from "./pod.ts"
import type { PodRecord } from "./records.ts"

const isUp = ({ state }: Container): boolean => state.status === "running" || state.status === "paused"

/** See `Pods.start`. */
export function startPod(deps: PodDeps, nameOrId: string, cancellable: Cancellable = {}): Promise<void> {
  return changePod(deps, nameOrId, cancellable, (record) => startNow(deps, record, cancellable))
}

async function startNow(deps: PodDeps, record: PodRecord, { signal }: Cancellable): Promise<void> {
  const sandbox = await ensureSandbox(deps, record)
  if (sandbox) await (await deps.sandboxes()).start(sandbox.id, { signal })
  crashPoint("pod:sandbox-ready")
  const containers = await containersOf(deps, record)
  const [init, others] = [containers.filter(isInit), containers.filter((one) => !isInit(one))]
  await startInits(deps, record, others.some(isUp) ? init.filter(isSidecar) : init, { signal })
  const all = await deps.containers()
  deps.records.tell(record, "start")
  await forContainers(
    `starting pod "${record.name}"`,
    others.filter(({ state }) => state.status !== "running"),
    async ({ id }) => (await all.start(id, { abort: signal })).release(),
  )
}

function isInit({ options }: Container): boolean {
  return options.initContainer !== undefined
}

function isSidecar({ options }: Container): boolean {
  return options.initContainer === "sidecar"
}

/**
 * In order: each to its end, a sidecar until it is up. When one fails, the pod is as it was: a sandbox that ends with its last container
 * has none.
 */
async function startInits(
  deps: PodDeps,
  record: PodRecord,
  containers: readonly Container[],
  cancellable: Cancellable,
): Promise<void> {
  try {
    for (const one of containers)
      await (isSidecar(one) ? startSidecar(deps, one, cancellable) : runInit(deps, record, one, cancellable))
  } catch (error) {
    const ran = (await containersOf(deps, record)).filter((one) => isSidecar(one) && isUp(one))
    if (record.spec.options.exitPolicy === "stop" && ran.length === 0) await stopSandbox(deps, record)
    throw error
  }
}

/** Those after it may count on it: with a startup check they wait until that has succeeded. */
async function startSidecar(deps: PodDeps, { id, options, state }: Container, { signal }: Cancellable): Promise<void> {
  const containers = await deps.containers()
  if (state.status !== "running") (await containers.start(id, { abort: signal })).release()
  if (options.health?.startup === undefined) return
  await containers.waitForState(id, ["healthy", "unhealthy", "exited"], signal === undefined ? {} : { signal })
}

/** To its end: what comes after it may count on what it did. Throws FailedPrecondition when it fails. */
async function runInit(
  deps: PodDeps,
  { name }: PodRecord,
  { id, name: container, options }: Container,
  { signal }: Cancellable,
): Promise<void> {
  const containers = await deps.containers()
  const started = await containers.start(id, { abort: signal })
  const code = await started.exited
  if (code !== 0)
    throw new FailedPrecondition(`init container "${container}" of pod "${name}" exited with code ${code}`, {
      hint: { do: "logs", container },
    })
  if (options.initContainer === "once") await containers.remove(id, { volumes: true, abort: signal })
}

/** See `Pods.stop`. */
export function stopPod(deps: PodDeps, nameOrId: string, options: PodStop = {}): Promise<void> {
  return changePod(deps, nameOrId, options, (record) => stopNow(deps, record, options))
}

/** The sandbox too, when some container could not be stopped: it keeps what it is in. */
export async function stopNow(deps: PodDeps, record: PodRecord, { timeoutSeconds, signal }: PodStop): Promise<void> {
  const containers = await deps.containers()
  try {
    const all = await containersOf(deps, record)
    const stop = ({ id }: Container): Promise<void> =>
      containers.stop(id, { abort: signal, ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) })
    await forContainers(
      `stopping pod "${record.name}"`,
      all.filter((one) => !isSidecar(one)),
      stop,
    )
    // the last that was started goes first
    for (const sidecar of all.filter(isSidecar).toReversed()) await stop(sidecar)
    crashPoint("pod:containers-stopped")
  } finally {
    await stopSandbox(deps, record)
  }
  deps.records.tell(record, "stop")
}

async function stopSandbox(deps: PodDeps, record: PodRecord): Promise<void> {
  const sandbox = await ensureSandbox(deps, record)
  if (sandbox) await (await deps.sandboxes()).stop(sandbox.id)
}

/** See `Pods.restart`. */
export function restartPod(deps: PodDeps, nameOrId: string, options: PodStop = {}): Promise<void> {
  return changePod(deps, nameOrId, options, async (record) => {
    await stopNow(deps, record, options)
    await startNow(deps, record, options)
  })
}

/** See `Pods.kill`. With the last of its containers goes the sandbox. */
export function killPod(deps: PodDeps, nameOrId: string, signal: string, cancellable: Cancellable = {}): Promise<void> {
  parseSignal(signal)
  return changePod(deps, nameOrId, cancellable, async (record) => {
    const containers = await deps.containers()
    const running = (await containersOf(deps, record)).filter(isUp)
    await forContainers(`killing pod "${record.name}"`, running, ({ id }) =>
      containers.kill(id, signal, { abort: cancellable.signal }),
    )
    if (!(await containersOf(deps, record)).some(isUp)) await stopSandbox(deps, record)
    deps.records.tell(record, "kill")
  })
}

/** See `Pods.pause`. */
export function pausePod(deps: PodDeps, nameOrId: string, cancellable: Cancellable = {}): Promise<void> {
  return freeze(deps, nameOrId, cancellable, { from: "running", verb: "pause" })
}

/** See `Pods.unpause`. */
export function unpausePod(deps: PodDeps, nameOrId: string, cancellable: Cancellable = {}): Promise<void> {
  return freeze(deps, nameOrId, cancellable, { from: "paused", verb: "unpause" })
}

function freeze(
  deps: PodDeps,
  nameOrId: string,
  cancellable: Cancellable,
  { from, verb }: { from: "running" | "paused"; verb: "pause" | "unpause" },
): Promise<void> {
  return changePod(deps, nameOrId, cancellable, async (record) => {
    const containers = await deps.containers()
    const found = (await containersOf(deps, record)).filter(({ state }) => state.status === from)
    await forContainers(`to ${verb} pod "${record.name}"`, found, ({ id }) =>
      containers[verb](id, { abort: cancellable.signal }),
    )
    deps.records.tell(record, verb)
  })
}
