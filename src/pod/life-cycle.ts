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
  if (!others.some(isUp)) await runInits(deps, record, init, { signal })
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

/** In order. When one fails, the pod is as it was: a sandbox that ends with its last container has none. */
async function runInits(
  deps: PodDeps,
  record: PodRecord,
  containers: readonly Container[],
  cancellable: Cancellable,
): Promise<void> {
  try {
    for (const one of containers) await runInit(deps, record, one, cancellable)
  } catch (error) {
    if (record.spec.options.exitPolicy === "stop") await stopSandbox(deps, record)
    throw error
  }
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
    await forContainers(`stopping pod "${record.name}"`, await containersOf(deps, record), ({ id }) =>
      containers.stop(id, { abort: signal, ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) }),
    )
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
