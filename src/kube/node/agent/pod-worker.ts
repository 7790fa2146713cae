import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises"
import type {
  Container as ContainerSpec,
  PersistentVolumeClaim,
  Pod,
  PodStatus,
  Secret,
} from "kubernetes-types/core/v1"
import { isSkiffError } from "../../../base/errors.ts"
import { log } from "../../../base/log.ts"
import type { Container } from "../../../container/container.ts"
import type { Sandbox } from "../../../sandbox/sandbox.ts"
import type { ImageRunConfig } from "../../../spec/oci-image.ts"
import { conditionOf } from "../../controllers/conditions.ts"
import { isFinished, type KeptPod } from "../../controllers/pod-state.ts"
import { timeOf } from "../../controllers/times.ts"
import type { ContainerHooks, NodeHandler } from "../hooks.ts"
import type { ContainerProbes, NodeProbe } from "../probes.ts"
import type { PodVolume } from "../volumes.ts"
import { attemptOf, type Attempt } from "./attempt.ts"
import { BackOffs } from "./back-offs.ts"
import { pullPolicyOf } from "./image-puller.ts"
import {
  isRestarted,
  nextActions,
  placedContainers,
  type ContainerView,
  type PlacedContainer,
  type Role,
} from "./next-actions.ts"
import { COMPONENT, type NodeContext } from "./node-context.ts"
import { enginePodName, planContainer, planPod, planVolumes } from "./pod-plan.ts"
import { PodTokens } from "./pod-tokens.ts"
import { podStatus, type ContainerFacts } from "./pod-status.ts"
import { keepVolumes, removeVolumes } from "./pod-volumes.ts"
import { getHttp } from "./http-probe.ts"
import { openTcp, probeOnce, runCommand } from "./probe-request.ts"
import { Prober } from "./prober.ts"
import { changedResources, resizeRefusal, type ResizeCondition } from "./resize.ts"
import { factsOf, serviceVariables, sourcesOf } from "./sources.ts"
import { messageMount, terminationMessage } from "./termination-message.ts"

const DEFAULT_GRACE_S = 30
/** Of a pod whose object was taken away by force. */
const FORCED_GRACE_S = 1
/** What a hook leaves, at least, for the stop (kubernetes: minimumGracePeriodInSeconds). */
const LEAST_STOP_S = 2
/** What could not be done is tried again. */
const RETRY_MS = 2_000
const LONGEST_RETRY_MS = 30_000
const PULLED_LOG_LIMIT = 1_000

type EventType = "Normal" | "Warning"

/** What stays of a pod once it has been found in the engine. */
export interface FoundPod {
  podId?: string
  sandboxId?: string
}

/**
 * One pod: brings what the engine has of it in line with its object, one look at a time. Nothing here is truth but what a process alone can
 * know (probes, back-offs): all else is read from the object and the engine.
 */
export class PodWorker {
  readonly uid: string
  readonly #node: NodeContext
  readonly #onGone: (uid: string) => void
  readonly #attempts = new Map<string, Attempt>()
  readonly #probers = new Map<string, Prober>()
  /** Runs whose postStart is done. */
  readonly #hooked = new Set<string>()
  readonly #hooks = new Map<string, ContainerHooks>()
  readonly #waiting = new Map<string, { reason: string; message?: string }>()
  readonly #dead = new Map<string, { kind: string; probe: NodeProbe }>()
  readonly #startFailures = new Map<string, { message: string; at: number; exitCode: number }>()
  readonly #messages = new Map<string, string | undefined>()
  readonly #images = new Map<string, ImageRunConfig>()
  readonly #backOffs = new BackOffs()
  readonly #tokens: PodTokens
  #found: FoundPod
  #sandbox: Sandbox | undefined
  /** As it was seen last. */
  #pod: KeptPod | undefined
  #isRunning = false
  #isWoken = false
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #failures = 0
  #isInitialized = false
  /** The object's generation whose resources the containers have. */
  #sizedFor: number | undefined
  #resizing: ResizeCondition | undefined
  /** What it was that the status was written for. */
  #written: string | undefined

  constructor(node: NodeContext, uid: string, { found = {}, onGone }: { found?: FoundPod; onGone(uid: string): void }) {
    this.#node = node
    this.#tokens = new PodTokens(node.tokens)
    this.uid = uid
    this.#found = found
    this.#onGone = onGone
  }

  /** Something that it is about has changed. */
  wake(): void {
    if (this.#isRunning) this.#isWoken = true
    else if (!this.#node.signal.aborted) void this.#run()
  }

  /** A container of its own that the engine has. */
  take(container: Container): void {
    const attempt = attemptOf(container)
    if (attempt !== undefined) this.#attempts.set(attempt.id, attempt)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    for (const prober of this.#probers.values()) prober[Symbol.dispose]()
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

  async #look(): Promise<void> {
    const object = this.#node.cluster.byUid(this.uid)?.object as unknown as KeptPod | undefined
    if (object === undefined) {
      await this.#end(FORCED_GRACE_S)
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
      await this.#end(graceOf(object))
      this.#write(object, { isEnded: true, failure: overdue })
      return
    }
    await this.#bringUp(object)
  }

  /** What the engine has of it now, and what its containers have said at their ends. */
  async #refresh(pod: KeptPod): Promise<void> {
    const { containers } = this.#node
    for (const { id } of this.#attempts.values()) {
      const found = ifThere(() => containers.get(id))
      const attempt = found && attemptOf(found)
      if (attempt === undefined) this.#forget(id)
      else this.#attempts.set(id, withFailure(attempt, this.#startFailures.get(id)))
    }
    for (const { id, state } of this.#attempts.values())
      if (state.is !== "running") {
        this.#probers.get(id)?.[Symbol.dispose]()
        this.#probers.delete(id)
      }
    for (const { container } of placedContainers(pod.spec))
      for (const one of this.#attemptsOf(container.name).slice(0, 2)) {
        if (one.state.is !== "ended" || this.#messages.has(one.id)) continue
        const { exitCode } = one.state
        this.#messages.set(one.id, await terminationMessage(this.#node, this.uid, container, { ...one, exitCode }))
      }
    const { sandboxId } = this.#found
    this.#sandbox = sandboxId === undefined ? undefined : ifThere(() => this.#node.sandboxes.get(sandboxId))
  }

  #forget(id: string): void {
    this.#probers.get(id)?.[Symbol.dispose]()
    this.#probers.delete(id)
    for (const map of [this.#attempts, this.#hooks, this.#dead, this.#startFailures, this.#messages]) map.delete(id)
    this.#hooked.delete(id)
  }

  /** What a process before this one knew, as far as the object says it. */
  #remember({ status }: KeptPod): void {
    for (const { name, attempt, createdAt, id, state } of this.#attempts.values()) {
      if (this.#latest(name)?.id !== id) continue
      this.#backOffs.restore(name, attempt, createdAt)
      if (state.is === "running") this.#hooked.add(id)
    }
    this.#isInitialized = conditionOf(status?.conditions, "Initialized")?.status === "True"
  }

  /** Newest first. */
  #attemptsOf(name: string): Attempt[] {
    return [...this.#attempts.values()]
      .filter((one) => one.name === name)
      .toSorted((a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt)
  }

  #latest(name: string): Attempt | undefined {
    return this.#attemptsOf(name)[0]
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
    await this.#resize(pod)
    const policy = pod.spec?.restartPolicy ?? "Always"
    // of a machine that was started anew: what was to run once has had its run
    if (policy === "Never" && !this.#isReady() && this.#mains(pod).some(({ name }) => this.#latest(name)))
      return this.#write(pod, { isEnded: true })
    if (!(await this.#ground(pod))) return this.#write(pod)
    const actions = nextActions(policy, this.#views(pod), Date.now())
    this.#isInitialized = actions.isInitialized
    if (actions.lookAt !== undefined) this.#again(actions.lookAt - Date.now())
    this.#write(pod)
    const placed = new Map(placedContainers(pod.spec).map((one) => [one.container.name, one]))
    for (const name of actions.start) {
      const one = placed.get(name)
      if (one === undefined || this.#isOld(pod)) continue
      await this.#node.limit(() => this.#start(pod, one))
    }
    for (const one of placed.values())
      if (one.role === "ephemeral" && this.#latest(one.container.name) === undefined) await this.#start(pod, one)
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

  #isReady(): boolean {
    return this.#sandbox?.state.status === "ready"
  }

  /** Volumes and sandbox. False: something is missing, and was told. */
  async #ground(pod: KeptPod): Promise<boolean> {
    const input = { pod, sources: this.#sources(pod), facts: factsOf(this.#node, pod, this.#podIps(pod)) }
    try {
      const warnings = await keepVolumes(this.#node, this.uid, planVolumes(input))
      for (const { path, text } of warnings) this.#tellOfVolume(pod, path, text)
      const { renewAt } = this.#tokens
      if (renewAt !== undefined) this.#again(renewAt - Date.now())
    } catch (error) {
      if (this.#node.signal.aborted) throw error
      this.#tell(pod, "Warning", "FailedMount", `MountVolume.SetUp failed for volume: ${(error as Error).message}`)
      this.#again(retryAfter(this.#failures++))
      return false
    }
    if (this.#isReady()) return true
    try {
      await this.#node.limit(() => this.#makeSandbox(pod))
      return true
    } catch (error) {
      if (this.#node.signal.aborted) throw error
      this.#tell(pod, "Warning", "FailedCreatePodSandBox", `Failed to create pod sandbox: ${(error as Error).message}`)
      this.#again(retryAfter(this.#failures++))
      return false
    }
  }

  /** Of the pod, or of its claim: `spec.volumes[0].persistentVolumeClaim`. */
  #tellOfVolume(pod: KeptPod, path: string, text: string): void {
    const { cluster, recorder } = this.#node
    const index = Number(/^spec\.volumes\[(\d+)\]/.exec(path)?.[1])
    const { name, persistentVolumeClaim } = pod.spec?.volumes?.[index] ?? { name: "" }
    const claim =
      persistentVolumeClaim &&
      cluster.find<PersistentVolumeClaim>(
        "persistentvolumeclaims",
        persistentVolumeClaim.claimName,
        pod.metadata.namespace,
      )
    const message = `volume "${name}": ${text}`
    const event = { type: "Warning" as const, reason: "SizeNotEnforced", message, component: COMPONENT }
    recorder.tell(claim ?? pod, event)
  }

  async #makeSandbox(pod: KeptPod): Promise<void> {
    const { pods, sandboxes } = this.#node
    if (this.#found.podId !== undefined && ifThere(() => pods.idOf(this.#found.podId ?? "")) === undefined)
      this.#found = {}
    if (this.#found.sandboxId === undefined || this.#sandbox === undefined) {
      const input = { pod, sources: this.#sources(pod), facts: factsOf(this.#node, pod, undefined) }
      const options = await this.#node.network(pod, planPod(input))
      if (this.#found.podId !== undefined) await pods.remove(this.#found.podId, { force: true, timeoutSeconds: 0 })
      await this.#removeNamesake(pod)
      const made = await pods.create(options)
      this.#found = { podId: made.id, ...(made.sandboxId !== undefined && { sandboxId: made.sandboxId }) }
    }
    const { sandboxId } = this.#found
    if (sandboxId !== undefined) this.#sandbox = await sandboxes.start(sandboxId, { signal: this.#node.signal })
  }

  /** What a process that was killed has left half made. */
  async #removeNamesake(pod: KeptPod): Promise<void> {
    const id = ifThere(() => this.#node.pods.idOf(enginePodName(pod)))
    if (id !== undefined) await this.#node.pods.remove(id, { force: true, timeoutSeconds: 0 })
  }

  #podIps({ spec }: KeptPod): readonly string[] {
    if (spec?.hostNetwork) return this.#node.hostIps
    const { address, address6 } = this.#sandbox?.endpoints[0] ?? {}
    return [address, address6].filter((one) => one !== undefined).map(plainAddress)
  }

  /** Undefined: it has the host's network. */
  #probedSandbox({ spec }: KeptPod): string | undefined {
    return spec?.hostNetwork ? undefined : this.#found.sandboxId
  }

  #sources(pod: KeptPod): ReturnType<typeof sourcesOf> {
    return sourcesOf(this.#node.cluster, pod, this.#images, this.#tokens)
  }

  /** Of init containers and sidecars those of this sandbox alone: a new one begins from the first. */
  #views(pod: KeptPod): ContainerView[] {
    return placedContainers(pod.spec)
      .filter((one): one is PlacedContainer & { role: Role } => one.role !== "ephemeral")
      .map(({ container: { name }, role }) => this.#view(pod, name, role))
  }

  #view(pod: KeptPod, name: string, role: Role): ContainerView {
    const since = this.#sandbox?.startedAt?.getTime() ?? 0
    const newest = this.#latest(name)
    const isOfThis = newest !== undefined && newest.createdAt >= since - 1
    const isDone =
      role === "main" &&
      pod.spec?.restartPolicy === "OnFailure" &&
      newest?.state.is === "ended" &&
      newest.state.exitCode === 0
    const latest = isOfThis || isDone ? newest : undefined
    const endedWith = newest === undefined && this.#isKeptEnd(pod) ? endOf(pod.status, name) : undefined
    const backOffUntil = this.#backOff(pod, { name, role }, latest, Date.now())
    return { name, role, latest, endedWith, isStarted: this.#isStarted(latest), backOffUntil }
  }

  /** Somebody has removed a container that had ended: it had its run, as long as the pod is where it was. */
  #isKeptEnd({ status }: KeptPod): boolean {
    const since = this.#sandbox?.startedAt?.getTime() ?? 0
    const began = timeOf(status?.startTime) ?? 0
    return since - began < 60_000 || this.#attempts.size > 0
  }

  #isStarted(latest: Attempt | undefined): boolean {
    if (latest?.state.is !== "running" || !this.#hooked.has(latest.id)) return false
    return this.#probers.get(latest.id)?.isStarted ?? true
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

  async #start(pod: KeptPod, placed: PlacedContainer): Promise<void> {
    const { container } = placed
    const { name } = container
    if (!(await this.#haveImages(pod, placed))) return
    const before = this.#latest(name)
    const attempt = before === undefined ? lostAttempts(pod.status, name) : before.attempt + 1
    const input = { pod, sources: this.#sources(pod), facts: factsOf(this.#node, pod, this.#podIps(pod)) }
    let plan: ReturnType<typeof planContainer>
    try {
      plan = planContainer(input, placed, attempt)
      await keepVolumes(this.#node, this.uid, plan.volumes)
    } catch (error) {
      return this.#refuse(pod, placed, "CreateContainerConfigError", (error as Error).message)
    }
    if (before?.state.is === "ended") this.#backOffs.count(name, Date.now())
    const made = await this.#create(pod, placed, { attempt, plan })
    if (made === undefined) return
    this.#waiting.delete(name)
    await this.#run1(pod, placed, made, plan)
  }

  async #create(
    pod: KeptPod,
    placed: PlacedContainer,
    { attempt, plan: { options } }: { attempt: number; plan: ReturnType<typeof planContainer> },
  ): Promise<Container | undefined> {
    const { containers, pods } = this.#node
    const { container } = placed
    const { podId } = this.#found
    if (podId === undefined) return undefined
    const target = (container as { targetContainerName?: string }).targetContainerName
    const targetId = target === undefined ? undefined : this.#latest(target)?.id
    try {
      const whole = await pods.containerOptions(podId, {
        ...options,
        env: [...serviceVariables(this.#node.cluster, pod), ...(options.env ?? [])],
        mounts: [
          ...(options.mounts ?? []),
          ...(placed.role === "ephemeral" ? [] : [messageMount(this.#node, this.uid, container, attempt)]),
        ],
        ...(targetId !== undefined && {
          namespaces: { ...options.namespaces, pid: { kind: "container", container: targetId } },
        }),
      })
      const name = whole.name ?? ""
      // of a process that was killed in between
      const left = ifThere(() => containers.get(name))
      if (left !== undefined) await containers.remove(left.id, { force: true })
      const made = await containers.create(whole)
      this.take(made)
      this.#tell(pod, "Normal", "Created", `Container created`, pathOf(pod, container.name))
      return made
    } catch (error) {
      this.#refuse(pod, placed, "CreateContainerError", (error as Error).message)
      return undefined
    }
  }

  async #run1(
    pod: KeptPod,
    { container, role }: PlacedContainer,
    { id }: Container,
    { hooks }: { probes: ContainerProbes; hooks: ContainerHooks },
  ): Promise<void> {
    const { containers } = this.#node
    this.#hooks.set(id, hooks)
    try {
      const started = await containers.start(id, { abort: this.#node.signal })
      started.release()
    } catch (error) {
      const message = (error as Error).message
      const exitCode = isSkiffError(error) ? (error.data.programExit ?? 128) : 128
      this.#startFailures.set(id, { message, at: Date.now(), exitCode })
      this.#tell(pod, "Warning", "Failed", `Error: ${message}`, pathOf(pod, container.name))
      return
    }
    this.take(containers.get(id))
    this.#tell(pod, "Normal", "Started", `Container started`, pathOf(pod, container.name))
    if (hooks.postStart && role !== "init") {
      this.#write(pod)
      try {
        await this.#hook(pod, id, hooks.postStart)
      } catch (error) {
        const message = (error as Error).message
        this.#tell(
          pod,
          "Warning",
          "FailedPostStartHook",
          `PostStartHook failed: ${message}`,
          pathOf(pod, container.name),
        )
        this.#tell(pod, "Normal", "Killing", `FailedPostStartHook`, pathOf(pod, container.name))
        await this.#stop(pod, id, graceOf(pod), { withHook: false })
        return
      }
    }
    this.#hooked.add(id)
  }

  async #haveImages(pod: KeptPod, { container }: PlacedContainer): Promise<boolean> {
    const { image = "", imagePullPolicy } = container
    const mounted = new Set(container.volumeMounts?.map(({ name }) => name))
    for (const { name, image: volume } of (pod.spec?.volumes ?? []) as readonly PodVolume[])
      if (volume?.reference !== undefined && mounted.has(name))
        if (!(await this.#haveImage(pod, container, volume.reference, volume.pullPolicy))) return false
    if (!(await this.#haveImage(pod, container, image, imagePullPolicy))) return false
    const config = this.#images.get(image) ?? {}
    if (!(container.securityContext?.runAsNonRoot ?? pod.spec?.securityContext?.runAsNonRoot)) return true
    const refusal = rootRefusal(pod, container, config)
    if (refusal === undefined) return true
    const path = pathOf(pod, container.name)
    this.#refuse(pod, { container, path, role: "main" }, "CreateContainerConfigError", refusal)
    return false
  }

  /** The one image, pulled by its policy with the pod's secrets. False: it was told why not. */
  async #haveImage(pod: KeptPod, { name }: ContainerSpec, image: string, policy: string | undefined): Promise<boolean> {
    const { puller, images, cluster } = this.#node
    const where = pathOf(pod, name)
    const account = cluster.find<{ imagePullSecrets?: { name?: string }[] }>(
      "serviceaccounts",
      pod.spec?.serviceAccountName ?? "default",
      pod.metadata.namespace,
    )
    const secretNames = [...(pod.spec?.imagePullSecrets ?? []), ...(account?.imagePullSecrets ?? [])]
    const pulled = await puller.have(image, pullPolicyOf(image, policy), {
      who: this.uid,
      secrets: secretNames.flatMap(
        (one) => (cluster.find<Secret>("secrets", one.name ?? "", pod.metadata.namespace) as Secret | undefined) ?? [],
      ),
      onPull: () => this.#tell(pod, "Normal", "Pulling", `Pulling image "${image}"`, where),
    })
    if (pulled.image !== undefined) {
      if (pulled.was === "pulled")
        this.#tell(
          pod,
          "Normal",
          "Pulled",
          `Successfully pulled image "${image}" in ${seconds(pulled.tookMs ?? 0)}`,
          where,
        )
      else if (pulled.trouble === undefined)
        this.#tell(pod, "Normal", "Pulled", `Container image "${image}" already present on machine`, where)
      else
        this.#tell(
          pod,
          "Warning",
          "Pulled",
          `Container image "${image}" of this machine is used; it cannot be pulled: ${pulled.trouble}`.slice(
            0,
            PULLED_LOG_LIMIT,
          ),
          where,
        )
      this.#images.set(image, (await images.config(pulled.image)).config ?? {})
      return true
    }
    const { reason, message, retryAt, isNew } = pulled
    this.#waiting.set(name, { reason, message })
    if (isNew) {
      this.#tell(
        pod,
        "Warning",
        "Failed",
        reason === "ErrImagePull" ? `Failed to pull image "${image}": ${message}` : message,
        where,
      )
      this.#tell(pod, "Warning", "Failed", `Error: ${reason}`, where)
    } else this.#tell(pod, "Normal", "BackOff", `Back-off pulling image "${image}"`, where)
    // first shown as failed, then as waiting
    this.#again(reason === "ErrImagePull" ? RETRY_MS : (retryAt ?? Date.now() + RETRY_MS * 5) - Date.now())
    return false
  }

  #refuse(pod: KeptPod, { container }: PlacedContainer, reason: string, message: string): void {
    this.#waiting.set(container.name, { reason, message })
    this.#tell(pod, "Warning", "Failed", `Error: ${message}`, pathOf(pod, container.name))
    this.#again(retryAfter(Math.min(this.#failures++, 3)))
  }

  /** Of ended ones the last stays, for its log. */
  #prune(pod: KeptPod): void {
    for (const { container } of placedContainers(pod.spec))
      for (const { id, state } of this.#attemptsOf(container.name).slice(2)) {
        if (state.is === "running") continue
        this.#forget(id)
        void this.#node.containers.remove(id).catch(() => {})
      }
  }

  // probes

  #probe(pod: KeptPod): void {
    const input = { pod, sources: this.#sources(pod), facts: factsOf(this.#node, pod, this.#podIps(pod)) }
    for (const placed of placedContainers(pod.spec)) {
      const { name } = placed.container
      const latest = this.#latest(name)
      if (latest?.state.is !== "running" || this.#probers.has(latest.id) || !this.#hooked.has(latest.id)) continue
      if (placed.role === "init" || placed.role === "ephemeral") continue
      const { livenessProbe, readinessProbe, startupProbe, lifecycle } = placed.container
      if (!livenessProbe && !readinessProbe && !startupProbe && !lifecycle) continue
      const plan = this.#planned(input, placed, latest.attempt)
      if (plan === undefined) continue
      const { probes, hooks } = plan
      this.#hooks.set(latest.id, hooks)
      if (Object.keys(probes).length > 0) this.#probers.set(latest.id, this.#prober(pod, placed, latest, probes))
    }
  }

  #prober(pod: KeptPod, { container }: PlacedContainer, { id, state }: Attempt, probes: ContainerProbes): Prober {
    const where = pathOf(pod, container.name)
    const said = (pod.status?.containerStatuses ?? []).find(({ containerID }) => containerID === `skiff://${id}`)
    return new Prober(
      probes,
      {
        look: async (probe) =>
          probeOnce(
            {
              containers: this.#node.containers,
              containerId: id,
              address: this.#podIps(pod)[0] ?? "127.0.0.1",
              sandboxId: this.#probedSandbox(pod),
              dial: this.#node.dial,
            },
            probe.handler,
            probe.timeoutSeconds * 1000,
          ),
        onFailure: (kind, output) => {
          const word = { startup: "Startup", liveness: "Liveness", readiness: "Readiness" }[kind]
          this.#tell(pod, "Warning", "Unhealthy", `${word} probe failed: ${output}`, where)
        },
        onChange: () => this.wake(),
        onDead: (kind, probe) => {
          this.#dead.set(id, { kind, probe })
          this.wake()
        },
      },
      {
        startedAt: state.is === "running" ? state.startedAt : Date.now(),
        known: said && { isStarted: said.started === true, isReady: said.ready },
      },
    )
  }

  async #killDead(pod: KeptPod): Promise<void> {
    for (const [id, { kind, probe }] of this.#dead) {
      const attempt = this.#attempts.get(id)
      this.#dead.delete(id)
      if (attempt?.state.is !== "running") continue
      const grace = probe.terminationGracePeriodSeconds ?? graceOf(pod)
      const word = `Container ${attempt.name} failed ${kind} probe, will be restarted`
      this.#tell(pod, "Normal", "Killing", word, pathOf(pod, attempt.name))
      await this.#stop(pod, id, grace, { withHook: true })
    }
    // another image is another container
    for (const { container } of placedContainers(pod.spec)) {
      const latest = this.#latest(container.name)
      if (latest?.state.is !== "running" || !container.image || latest.image === container.image) continue
      const word = `Container ${container.name} definition changed, will be restarted`
      this.#tell(pod, "Normal", "Killing", word, pathOf(pod, container.name))
      await this.#stop(pod, latest.id, graceOf(pod), { withHook: true })
    }
    await this.#refresh(pod)
  }

  /** Brings what runs to the resources that it shall have now: in place, or anew where its resizePolicy says so (KEP-1287). */
  async #resize(pod: KeptPod): Promise<void> {
    const { generation } = pod.metadata
    if (this.#sizedFor === generation) return
    const input = { pod, sources: this.#sources(pod), facts: factsOf(this.#node, pod, this.#podIps(pod)) }
    const running = placedContainers(pod.spec).flatMap((placed) => {
      const latest = this.#latest(placed.container.name)
      const plan = latest?.state.is === "running" ? this.#planned(input, placed, latest.attempt) : undefined
      const changes = plan && latest && changedResources(latest.resources, plan.options.resources ?? {})
      return latest && changes ? [{ placed, id: latest.id, changes }] : []
    })
    const { cluster, nodeName, containers } = this.#node
    const refusal = running.length === 0 ? undefined : resizeRefusal(pod, cluster, nodeName)
    if (refusal !== undefined) {
      const { reason } = refusal
      if (this.#resizing?.reason !== reason) this.#tell(pod, "Warning", `Resize${reason}`, refusal.message)
      this.#resizing = { type: "PodResizePending", ...refusal }
      if (reason === "Deferred") this.#again(LONGEST_RETRY_MS)
      else this.#sizedFor = generation
      return
    }
    this.#resizing = undefined
    for (const { placed, id, changes } of running) {
      const { name, resizePolicy = [] } = placed.container
      const isAnew = resizePolicy.some(
        ({ resourceName, restartPolicy }) =>
          restartPolicy === "RestartContainer" &&
          Object.keys(changes).some((key) => key.startsWith(resourceName === "cpu" ? "cpu" : "memory")),
      )
      try {
        if (isAnew) {
          const word = `Container ${name} resize requires restart`
          this.#tell(pod, "Normal", "Killing", word, pathOf(pod, name))
          await this.#stop(pod, id, graceOf(pod), { withHook: true })
        } else await containers.update(id, { resources: changes }, { abort: this.#node.signal })
        this.#tell(pod, "Normal", "ResizeCompleted", "Pod resize completed", pathOf(pod, name))
      } catch (error) {
        const { message } = error as Error
        this.#resizing = { type: "PodResizeInProgress", reason: "Error", message }
        this.#tell(pod, "Warning", "ResizeError", `Pod resize failed: ${message}`, pathOf(pod, name))
        this.#again(LONGEST_RETRY_MS)
        return
      }
    }
    this.#sizedFor = generation
    if (running.length > 0) await this.#refresh(pod)
  }

  // ends

  /** Has ended: nothing of it runs, and its namespaces are given back. Its containers stay for their logs. */
  async #rest(pod: KeptPod): Promise<void> {
    await this.#end(graceOf(pod))
    const { sandboxId } = this.#found
    if (sandboxId !== undefined && this.#isReady()) await this.#node.sandboxes.stop(sandboxId)
    await this.#refresh(pod)
    this.#write(pod, { isEnded: true })
  }

  async #delete(pod: KeptPod): Promise<void> {
    const until = timeOf(pod.metadata.deletionTimestamp) ?? Date.now()
    const grace = pod.metadata.deletionGracePeriodSeconds ?? graceOf(pod)
    const left = Math.max(FORCED_GRACE_S, Math.min(grace, Math.ceil((until - Date.now()) / 1000)))
    for (const prober of this.#probers.values()) prober.end()
    // one that a finalizer holds comes here again and again: what is written then is always the same
    if (!isFinished(pod)) this.#write(pod)
    // who was told to end would refuse callers that are still led to him
    await this.#node.withdrawn(pod)
    await this.#end(left, pod)
    await this.#refresh(pod)
    this.#write(pod, { isEnded: true })
    await this.#remove()
    this.#node.cluster.delete("pods", pod, { graceSeconds: 0 })
    // other finalizers hold it: it stays as it is until they are gone
    if (this.#current() === undefined) this.#onGone(this.uid)
  }

  /** Its containers, then its sidecars, the last one first. */
  async #end(graceSeconds: number, told?: KeptPod): Promise<void> {
    const until = Date.now() + graceSeconds * 1000
    const running = [...this.#attempts.values()].filter(({ state }) => state.is === "running")
    if (running.length === 0) return
    const spec = (told ?? this.#pod)?.spec
    const roles = new Map(placedContainers(spec).map(({ container, role }) => [container.name, role]))
    const sidecars = placedContainers(spec)
      .filter(({ role }) => role === "sidecar")
      .map(({ container }) => container.name)
    const isSidecar = ({ name }: Attempt): boolean => roles.get(name) === "sidecar"
    const stopOne = async ({ id, name }: Attempt): Promise<void> => {
      if (told) this.#tell(told, "Normal", "Killing", `Stopping container ${name}`, pathOf(told, name))
      await this.#stop(told ?? this.#pod, id, Math.max(0, (until - Date.now()) / 1000), { withHook: true })
    }
    await Promise.all(running.filter((one) => !isSidecar(one)).map(stopOne))
    const last = running.filter(isSidecar).toSorted((a, b) => sidecars.indexOf(b.name) - sidecars.indexOf(a.name))
    for (const one of last) await stopOne(one)
  }

  async #stop(
    pod: KeptPod | undefined,
    id: string,
    graceSeconds: number,
    { withHook }: { withHook: boolean },
  ): Promise<void> {
    this.#probers.get(id)?.end()
    const until = Date.now() + graceSeconds * 1000
    const preStop = withHook ? (this.#hooks.get(id)?.preStop ?? this.#plannedHooks(pod, id)?.preStop) : undefined
    if (preStop && pod && graceSeconds > 0) {
      const hook = this.#hook(pod, id, preStop).catch((error: unknown) => {
        const name = this.#attempts.get(id)?.name ?? ""
        this.#tell(
          pod,
          "Warning",
          "FailedPreStopHook",
          `PreStopHook failed: ${(error as Error).message}`,
          pathOf(pod, name),
        )
      })
      const late = new AbortController()
      await Promise.race([hook, sleep(graceSeconds * 1000, undefined, { signal: late.signal }).catch(() => {})])
      late.abort()
    }
    const left = Math.ceil((until - Date.now()) / 1000)
    const timeoutSeconds = preStop ? Math.max(LEAST_STOP_S, left) : Math.max(0, left)
    try {
      await this.#node.containers.stop(id, { timeoutSeconds })
    } catch (error) {
      if (!isSkiffError(error, "NotFound")) throw error
    }
  }

  #plannedHooks(pod: KeptPod | undefined, id: string): ContainerHooks | undefined {
    const name = this.#attempts.get(id)?.name
    const placed = placedContainers(pod?.spec).find(({ container }) => container.name === name)
    if (pod === undefined || placed?.container.lifecycle === undefined) return undefined
    const input = { pod, sources: this.#sources(pod), facts: factsOf(this.#node, pod, this.#podIps(pod)) }
    return this.#planned(input, placed, 0)?.hooks
  }

  /** Undefined: what it is made of is not there any more. */
  #planned(...words: Parameters<typeof planContainer>): ReturnType<typeof planContainer> | undefined {
    try {
      return planContainer(...words)
    } catch {
      return undefined
    }
  }

  /** Throws what it failed of. */
  async #hook(pod: KeptPod, containerId: string, handler: NodeHandler): Promise<void> {
    const { containers, dial, signal } = this.#node
    const address = this.#podIps(pod)[0] ?? "127.0.0.1"
    const target = { containers, containerId, address, sandboxId: this.#probedSandbox(pod), dial }
    if (handler.kind === "sleep") return void (await sleep(handler.seconds * 1000, undefined, { signal }))
    const result =
      handler.kind === "exec"
        ? await runCommand(target, handler.command, signal)
        : handler.kind === "http"
          ? await getHttp(target, handler, signal)
          : await openTcp(target, handler, signal)
    if (!result.isOk) throw new Error(result.output)
  }

  async #remove(): Promise<void> {
    const { pods } = this.#node
    const { podId } = this.#found
    for (const prober of this.#probers.values()) prober[Symbol.dispose]()
    if (podId !== undefined && ifThere(() => pods.idOf(podId)) !== undefined)
      await pods.remove(podId, { force: true, timeoutSeconds: 0 })
    for (const id of this.#attempts.keys()) this.#forget(id)
    this.#found = {}
    this.#sandbox = undefined
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
      const [latest, previous] = this.#attemptsOf(name)
      const waiting = isEnded ? undefined : this.#waiting.get(name)
      const isStarted = role === "init" ? false : this.#isStarted(latest)
      const prober = latest && this.#probers.get(latest.id)
      const [message, previousMessage] = [latest, previous].map((one) => one && this.#messages.get(one.id))
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
      hasSandbox: this.#isReady(),
      podIps: this.#podIps(pod),
      hostIps: this.#node.hostIps,
      generation: pod.metadata.generation,
      ...(this.#resizing && { resizing: this.#resizing }),
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

function graceOf({ spec }: KeptPod): number {
  return spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S
}

function retryAfter(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, 500 * 2 ** Math.min(failures, 10))
}

const seconds = (ms: number): string => (ms < 1000 ? `${ms}ms` : `${ms / 1000}s`)

function ifThere<T>(find: () => T): T | undefined {
  try {
    return find()
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return undefined
    throw error
  }
}

function withFailure(
  attempt: Attempt,
  failure: { message: string; at: number; exitCode: number } | undefined,
): Attempt {
  if (failure === undefined || attempt.state.is === "running") return attempt
  return {
    ...attempt,
    state: {
      is: "ended",
      exitCode: failure.exitCode,
      finishedAt: failure.at,
      isOutOfMemory: false,
      error: failure.message,
      isOfEarlierBoot: false,
    },
  }
}

/** As kubelet names containers in events. */
function pathOf({ spec }: KeptPod, name: string): string {
  const lists = [
    ["initContainers", spec?.initContainers],
    ["ephemeralContainers", spec?.ephemeralContainers],
  ] as const
  const found = lists.find(([, list]) => list?.some((one) => one.name === name))
  return `spec.${found?.[0] ?? "containers"}{${name}}`
}

function statusOf(status: PodStatus | undefined, name: string) {
  return [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find(
    (one) => one.name === name,
  )
}

function endOf(status: PodStatus | undefined, name: string): number | undefined {
  return statusOf(status, name)?.state?.terminated?.exitCode
}

/** Its number, where the engine has none of those before it. */
function lostAttempts(status: PodStatus | undefined, name: string): number {
  const before = statusOf(status, name)
  return before?.containerID === undefined ? 0 : before.restartCount + 1
}

function plainAddress(address: string): string {
  return address.replace(/\/\d+$/, "")
}

/** kubernetes: security_context.go, verifyRunAsNonRoot. */
function rootRefusal(
  pod: KeptPod,
  { name, securityContext }: ContainerSpec,
  { User: user = "" }: ImageRunConfig,
): string | undefined {
  const uid = securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser
  const who = `pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${name}`
  if (uid !== undefined) return uid === 0 ? `container's runAsUser breaks non-root policy (${who})` : undefined
  const [account = ""] = user.split(":")
  if (account === "" || account === "0") return `container has runAsNonRoot and image will run as root (${who})`
  if (!/^\d+$/.test(account))
    return `container has runAsNonRoot and image has non-numeric user (${account}), cannot verify user is non-root (${who})`
  return undefined
}
