import { setImmediate as nextTurn } from "node:timers/promises"
import type { Container as ContainerSpec, Pod } from "kubernetes-types/core/v1"
import { log } from "../../../base/log.ts"
import type { Container } from "../../../container/container.ts"
import { conditionOf } from "../../controllers/conditions.ts"
import { isFinished, type KeptPod } from "../../controllers/pod-state.ts"
import { timeOf } from "../../controllers/times.ts"
import type { Attempt } from "./attempt.ts"
import { BackOffs } from "./back-offs.ts"
import { pathOf } from "./container-path.ts"
import { endOf } from "./earlier-attempts.ts"
import { graceOf } from "./grace.ts"
import { ifThere } from "./if-there.ts"
import {
  isRestarted,
  nextActions,
  placedContainers,
  type ContainerView,
  type PlacedContainer,
  type Role,
} from "./next-actions.ts"
import { COMPONENT, type NodeContext } from "./node-context.ts"
import { PodGround, type FoundPod } from "./pod-ground.ts"
import { PodImages } from "./pod-images.ts"
import { planIfPossible } from "./pod-plan.ts"
import { PodResizer } from "./pod-resizer.ts"
import { PodRuns } from "./pod-runs.ts"
import { podStatus, type ContainerFacts } from "./pod-status.ts"
import { PodStarts } from "./pod-starts.ts"
import { PodStops } from "./pod-stops.ts"
import { removeVolumes } from "./pod-volumes.ts"
import { probeContainer } from "./probe-container.ts"
import type { Waiting, WorkerContext } from "./worker-context.ts"

/** Of a pod whose object was taken away by force. */
const FORCED_GRACE_S = 1
/** What could not be done is tried again. */
const RETRY_MS = 2_000
const LONGEST_RETRY_MS = 30_000

type EventType = "Normal" | "Warning"

/**
 * One pod: brings what the engine has of it in line with its object, one look at a time. Nothing here is truth but what a process alone can
 * know (probes, back-offs): all else is read from the object and the engine.
 */
export class PodWorker {
  readonly uid: string
  readonly #node: NodeContext
  readonly #onGone: (uid: string) => void
  readonly #context: WorkerContext
  readonly #runs: PodRuns
  readonly #ground: PodGround
  readonly #stops: PodStops
  readonly #resizer: PodResizer
  readonly #starts: PodStarts
  readonly #waiting = new Map<string, Waiting>()
  readonly #backOffs = new BackOffs()
  /** As it was seen last. */
  #pod: KeptPod | undefined
  #isRunning = false
  #isWoken = false
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #failures = 0
  #isInitialized = false
  /** What it was that the status was written for. */
  #written: string | undefined

  constructor(node: NodeContext, uid: string, { found = {}, onGone }: { found?: FoundPod; onGone(uid: string): void }) {
    this.#node = node
    this.uid = uid
    this.#onGone = onGone
    const context: WorkerContext = {
      node,
      uid,
      waiting: this.#waiting,
      wake: () => this.wake(),
      again: (ms) => this.#again(ms),
      retry: (most) => this.#retry(most),
      tell: (...words) => this.#tell(...words),
      refuse: (...words) => this.#refuse(...words),
    }
    this.#context = context
    const images = new PodImages(context)
    const runs = new PodRuns(node, uid)
    const ground = new PodGround(context, images.configs, found)
    const stops = new PodStops(context, { runs, ground })
    this.#runs = runs
    this.#ground = ground
    this.#stops = stops
    this.#resizer = new PodResizer(context, { runs, ground, stops })
    const write = (pod: KeptPod): void => this.#write(pod)
    this.#starts = new PodStarts(context, { runs, ground, images, stops, backOffs: this.#backOffs, write })
  }

  /** Something that it is about has changed. */
  wake(): void {
    if (this.#isRunning) this.#isWoken = true
    else if (!this.#node.signal.aborted) void this.#run()
  }

  /** A container of its own that the engine has. */
  take(container: Container): void {
    this.#runs.take(container)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    for (const prober of this.#runs.probers.values()) prober[Symbol.dispose]()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    do {
      this.#isWoken = false
      clearTimeout(this.#timer)
      this.#timerAt = Number.POSITIVE_INFINITY
      try {
        await this.#look()
        this.#failures = 0
      } catch (error) {
        if (this.#node.signal.aborted) break
        log.debug(`pod ${this.uid} cannot be brought in line`, { reason: String(error) })
        this.#again(Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** this.#failures++))
      }
      // controllers and timers have their turn, whoever wakes this one at each pass
      if (this.#isWoken) await nextTurn()
    } while (this.#isWoken && !this.#node.signal.aborted)
    this.#isRunning = false
  }

  #again(ms: number): void {
    const at = Date.now() + ms
    if (at >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(() => this.wake(), Math.max(1, ms))
  }

  /** After what could not be done: later each time. */
  #retry(most = 10): void {
    this.#again(Math.min(LONGEST_RETRY_MS, 500 * 2 ** Math.min(this.#failures++, most)))
  }

  async #look(): Promise<void> {
    const object = this.#node.cluster.byUid(this.uid)?.object as unknown as KeptPod | undefined
    if (object === undefined) {
      await this.#stops.end(this.#pod, FORCED_GRACE_S)
      await this.#remove()
      return this.#onGone(this.uid)
    }
    const isFirst = this.#pod === undefined
    this.#pod = object
    await this.#refresh(object)
    if (isFirst) this.#remember(object)
    if (object.metadata.deletionTimestamp !== undefined) return this.#delete(object)
    if (isFinished(object)) return this.#rest(object)
    const overdue = this.#deadline(object)
    if (overdue !== undefined) {
      await this.#stops.end(object, graceOf(object))
      this.#write(object, { isEnded: true, failure: overdue })
      return
    }
    await this.#bringUp(object)
  }

  /** What the engine has of it now, and what its containers have said at their ends. */
  async #refresh(pod: KeptPod): Promise<void> {
    await this.#runs.refresh(pod)
    this.#ground.refresh()
  }

  /** What a process before this one knew, as far as the object says it. */
  #remember({ status }: KeptPod): void {
    for (const { name, attempt, createdAt, id, state } of this.#runs.attempts.values()) {
      if (this.#runs.latest(name)?.id !== id) continue
      this.#backOffs.restore(name, attempt, createdAt)
      if (state.is === "running") this.#runs.hooked.add(id)
    }
    this.#isInitialized = conditionOf(status?.conditions, "Initialized")?.status === "True"
  }

  #deadline({ spec, status }: KeptPod): { reason: string; message: string } | undefined {
    const { activeDeadlineSeconds: seconds } = spec ?? {}
    const began = timeOf(status?.startTime)
    if (seconds === undefined || began === undefined) return undefined
    const left = began + seconds * 1000 - Date.now()
    if (left > 0) return void this.#again(left)
    return { reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline" }
  }

  // what is to run

  async #bringUp(pod: KeptPod): Promise<void> {
    // those that a process before this one looked at: they are ready as long as no probe says otherwise
    this.#probe(pod)
    await this.#killDead(pod)
    if (await this.#resizer.resize(pod)) await this.#refresh(pod)
    const policy = pod.spec?.restartPolicy ?? "Always"
    // of a machine that was started anew: what was to run once has had its run
    if (policy === "Never" && !this.#ground.isReady() && this.#mains(pod).some(({ name }) => this.#runs.latest(name)))
      return this.#write(pod, { isEnded: true })
    if (!(await this.#ground.prepare(pod))) return this.#write(pod)
    const actions = nextActions(policy, this.#views(pod), Date.now())
    this.#isInitialized = actions.isInitialized
    if (actions.lookAt !== undefined) this.#again(actions.lookAt - Date.now())
    this.#write(pod)
    const placed = new Map(placedContainers(pod.spec).map((one) => [one.container.name, one]))
    for (const name of actions.start) {
      const one = placed.get(name)
      if (one === undefined || this.#isOld(pod)) continue
      await this.#node.limit(() => this.#starts.start(pod, one))
    }
    for (const one of placed.values())
      if (one.role === "ephemeral" && this.#runs.latest(one.container.name) === undefined)
        await this.#starts.start(pod, one)
    this.#prune(pod)
    await this.#refresh(pod)
    this.#probe(pod)
    const next = nextActions(policy, this.#views(pod), Date.now())
    this.#isInitialized = next.isInitialized
    this.#write(pod)
    // a sidecar that has started lets the next one start
    if (next.start.some((name) => !this.#waiting.has(name) && !actions.start.includes(name))) this.#isWoken = true
    if (isFinished(this.#current() ?? pod)) this.#isWoken = true
  }

  /** The object is another by now: what is begun now would be out of date. */
  #isOld({ metadata }: KeptPod): boolean {
    const now = this.#current()
    return (
      now === undefined || (now.metadata.deletionTimestamp !== undefined && metadata.deletionTimestamp === undefined)
    )
  }

  #current(): KeptPod | undefined {
    return this.#node.cluster.byUid(this.uid)?.object as unknown as KeptPod | undefined
  }

  #mains(pod: KeptPod): ContainerSpec[] {
    return pod.spec?.containers ?? []
  }

  /** Of init containers and sidecars those of this sandbox alone: a new one begins from the first. */
  #views(pod: KeptPod): ContainerView[] {
    return placedContainers(pod.spec)
      .filter((one): one is PlacedContainer & { role: Role } => one.role !== "ephemeral")
      .map(({ container: { name }, role }) => this.#view(pod, name, role))
  }

  #view(pod: KeptPod, name: string, role: Role): ContainerView {
    const since = this.#ground.sandbox?.startedAt?.getTime() ?? 0
    const newest = this.#runs.latest(name)
    const isOfThis = newest !== undefined && newest.createdAt >= since - 1
    const isDone =
      role === "main" &&
      pod.spec?.restartPolicy === "OnFailure" &&
      newest?.state.is === "ended" &&
      newest.state.exitCode === 0
    const latest = isOfThis || isDone ? newest : undefined
    const endedWith = newest === undefined && this.#isKeptEnd(pod) ? endOf(pod.status, name) : undefined
    const backOffUntil = this.#backOff(pod, { name, role }, latest, Date.now())
    return { name, role, latest, endedWith, isStarted: this.#runs.isStarted(latest), backOffUntil }
  }

  /** Somebody has removed a container that had ended: it had its run, as long as the pod is where it was. */
  #isKeptEnd({ status }: KeptPod): boolean {
    const since = this.#ground.sandbox?.startedAt?.getTime() ?? 0
    const began = timeOf(status?.startTime) ?? 0
    return since - began < 60_000 || this.#runs.attempts.size > 0
  }

  /** Until when it is not started again; tells of it. */
  #backOff(
    pod: KeptPod,
    { name, role }: { name: string; role: Role },
    latest: Attempt | undefined,
    now: number,
  ): number | undefined {
    const waiting = this.#waiting.get(name)
    if (waiting?.reason === "ImagePullBackOff" || waiting?.reason === "ErrImagePull") return undefined
    if (latest?.state.is !== "ended" || latest.state.isOfEarlierBoot) return undefined
    const { exitCode, finishedAt } = latest.state
    if (!isRestarted(pod.spec?.restartPolicy ?? "Always", role, exitCode)) return undefined
    const delay = this.#backOffs.delayOf(name, finishedAt, now)
    if (delay === undefined) {
      if (waiting?.reason === "CrashLoopBackOff") this.#waiting.delete(name)
      return undefined
    }
    const { name: podName, namespace } = pod.metadata
    const who = `container=${name} pod=${podName}_${namespace}(${this.uid})`
    if (waiting?.reason !== "CrashLoopBackOff")
      this.#tell(
        pod,
        "Warning",
        "BackOff",
        `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${this.uid})`,
        pathOf(pod, name),
      )
    this.#waiting.set(name, {
      reason: "CrashLoopBackOff",
      message: `back-off ${delay.delayMs >= 60_000 ? `${Math.floor(delay.delayMs / 60_000)}m` : ""}${(delay.delayMs % 60_000) / 1000}s restarting failed ${who}`,
    })
    return delay.until
  }

  #refuse(pod: KeptPod, container: string, reason: string, message: string): void {
    this.#waiting.set(container, { reason, message })
    this.#tell(pod, "Warning", "Failed", `Error: ${message}`, pathOf(pod, container))
    this.#retry(3)
  }

  /** Of ended ones the last stays, for its log. */
  #prune(pod: KeptPod): void {
    for (const { container } of placedContainers(pod.spec))
      for (const { id, state } of this.#runs.attemptsOf(container.name).slice(2)) {
        if (state.is === "running") continue
        this.#runs.forget(id)
        void this.#node.containers.remove(id).catch(() => {})
      }
  }

  // probes

  #probe(pod: KeptPod): void {
    const input = this.#ground.planInput(pod)
    for (const placed of placedContainers(pod.spec)) {
      const { name } = placed.container
      const latest = this.#runs.latest(name)
      if (latest?.state.is !== "running" || this.#runs.probers.has(latest.id) || !this.#runs.hooked.has(latest.id))
        continue
      if (placed.role === "init" || placed.role === "ephemeral") continue
      const { livenessProbe, readinessProbe, startupProbe, lifecycle } = placed.container
      if (!livenessProbe && !readinessProbe && !startupProbe && !lifecycle) continue
      const plan = planIfPossible(input, placed, latest.attempt)
      if (plan === undefined) continue
      const { probes, hooks } = plan
      this.#runs.hooks.set(latest.id, hooks)
      if (Object.keys(probes).length > 0)
        this.#runs.probers.set(
          latest.id,
          probeContainer(
            this.#context,
            { pod, ground: this.#ground, runs: this.#runs },
            { container: placed.container, attempt: latest },
            probes,
          ),
        )
    }
  }

  async #killDead(pod: KeptPod): Promise<void> {
    for (const [id, { kind, probe }] of this.#runs.dead) {
      const attempt = this.#runs.attempts.get(id)
      this.#runs.dead.delete(id)
      if (attempt?.state.is !== "running") continue
      const grace = probe.terminationGracePeriodSeconds ?? graceOf(pod)
      const word = `Container ${attempt.name} failed ${kind} probe, will be restarted`
      this.#tell(pod, "Normal", "Killing", word, pathOf(pod, attempt.name))
      await this.#stops.stop(pod, id, grace, { withHook: true })
    }
    // another image is another container
    for (const { container } of placedContainers(pod.spec)) {
      const latest = this.#runs.latest(container.name)
      if (latest?.state.is !== "running" || !container.image || latest.image === container.image) continue
      const word = `Container ${container.name} definition changed, will be restarted`
      this.#tell(pod, "Normal", "Killing", word, pathOf(pod, container.name))
      await this.#stops.stop(pod, latest.id, graceOf(pod), { withHook: true })
    }
    await this.#refresh(pod)
  }

  // ends

  /** Has ended: nothing of it runs, and its namespaces are given back. Its containers stay for their logs. */
  async #rest(pod: KeptPod): Promise<void> {
    await this.#stops.end(pod, graceOf(pod))
    const { sandboxId } = this.#ground.found
    if (sandboxId !== undefined && this.#ground.isReady()) await this.#node.sandboxes.stop(sandboxId)
    await this.#refresh(pod)
    this.#write(pod, { isEnded: true })
  }

  async #delete(pod: KeptPod): Promise<void> {
    const until = timeOf(pod.metadata.deletionTimestamp) ?? Date.now()
    const grace = pod.metadata.deletionGracePeriodSeconds ?? graceOf(pod)
    const left = Math.max(FORCED_GRACE_S, Math.min(grace, Math.ceil((until - Date.now()) / 1000)))
    for (const prober of this.#runs.probers.values()) prober.end()
    // one that a finalizer holds comes here again and again: what is written then is always the same
    if (!isFinished(pod)) this.#write(pod)
    // who was told to end would refuse callers that are still led to him
    await this.#node.withdrawn(pod)
    await this.#stops.end(pod, left, { isTold: true })
    await this.#refresh(pod)
    this.#write(pod, { isEnded: true })
    await this.#remove()
    this.#node.cluster.delete("pods", pod, { graceSeconds: 0 })
    // other finalizers hold it: it stays as it is until they are gone
    if (this.#current() === undefined) this.#onGone(this.uid)
  }

  async #remove(): Promise<void> {
    const { pods } = this.#node
    const { podId } = this.#ground.found
    for (const prober of this.#runs.probers.values()) prober[Symbol.dispose]()
    if (podId !== undefined && ifThere(() => pods.idOf(podId)) !== undefined)
      await pods.remove(podId, { force: true, timeoutSeconds: 0 })
    for (const id of this.#runs.attempts.keys()) this.#runs.forget(id)
    this.#ground.found = {}
    this.#ground.sandbox = undefined
    await removeVolumes(this.#node, this.uid)
  }

  // what is told

  #write(
    pod: KeptPod,
    { isEnded = false, failure }: { isEnded?: boolean; failure?: { reason: string; message: string } } = {},
  ): void {
    const containers = new Map<string, ContainerFacts>()
    for (const { container, role } of placedContainers(pod.spec)) {
      const { name } = container
      const [latest, previous] = this.#runs.attemptsOf(name)
      const waiting = isEnded ? undefined : this.#waiting.get(name)
      const isStarted = role === "init" ? false : this.#runs.isStarted(latest)
      const prober = latest && this.#runs.probers.get(latest.id)
      const [message, previousMessage] = [latest, previous].map((one) => one && this.#runs.messages.get(one.id))
      containers.set(name, {
        latest,
        previous,
        ...(waiting && { waiting }),
        isStarted,
        isReady: isStarted && (prober?.isReady ?? container.readinessProbe === undefined),
        ...(message !== undefined && { message }),
        ...(previousMessage !== undefined && { previousMessage }),
      })
    }
    const facts = {
      spec: pod.spec ?? { containers: [] },
      containers,
      isInitialized: this.#isInitialized,
      hasSandbox: this.#ground.isReady(),
      podIps: this.#ground.podIps(pod),
      hostIps: this.#node.hostIps,
      generation: pod.metadata.generation,
      ...(this.#resizer.condition && { resizing: this.#resizer.condition }),
      isEnded,
      ...(failure && { failure }),
      now: Date.now(),
    }
    const current = this.#current()
    if (current === undefined) return
    const status = podStatus({ ...facts, before: current.status })
    const text = JSON.stringify(status)
    if (text === this.#written && text === JSON.stringify(current.status)) return
    this.#written = text
    this.#node.cluster.patchStatus<Pod>("pods", pod, ({ status: before }) => podStatus({ ...facts, before }))
  }

  #tell(pod: KeptPod, type: EventType, reason: string, message: string, fieldPath?: string): void {
    this.#node.recorder.tell(pod, {
      type,
      reason,
      message,
      component: COMPONENT,
      ...(fieldPath !== undefined && { fieldPath }),
    })
  }
}
