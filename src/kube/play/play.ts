import type { Secret } from "kubernetes-types/core/v1"
import { availableParallelism, hostname, networkInterfaces, totalmem } from "node:os"
import { throwIfAborted } from "../../base/cancel.ts"
import { AlreadyExists, InvalidArgument, isSkiffError } from "../../base/errors.ts"
import { randomHex } from "../../base/random-hex.ts"
import type { Builds } from "../../build/build.ts"
import type { ContainerOptions, Containers } from "../../container/container.ts"
import type { Images } from "../../image/image.ts"
import type { Networks } from "../../network/network.ts"
import type { PodOptions, Pods } from "../../pod/pod.ts"
import type { Secrets } from "../../secret/secret.ts"
import type { PortMapping } from "../../spec/docker/port-mapping.ts"
import type { Volumes } from "../../volume/volume.ts"
import { credentialsFor } from "../node/agent/image-puller.ts"
import { Warnings } from "../node/field-fault.ts"
import type { NodeHandler } from "../node/hooks.ts"
import type { NodeContainer, NodeFacts, NodePod, NodeSources } from "../node/node-pod.ts"
import { isOwn } from "../node/probes.ts"
import { prepareVolumes, refuseOwn } from "../node/prepare-volumes.ts"
import { translatePod } from "../node/translate-pod.ts"
import { pullOf, type PodVolume } from "../node/volumes.ts"
import { claimedVolume, makeClaimed } from "./claim-volumes.ts"
import { playImages, type WantedImage } from "./play-images.ts"
import { PLAY_NETWORK, type KubeFile, type PlayedPod, type PlayOptions, type PlayReport } from "./play-options.ts"
import { readConfigMaps, readPlay, type PlayedObject, type PlayObjects } from "./read-play.ts"
import { storedSecret, storeSecret } from "./stored-secrets.ts"

/** What playing is handed. */
export interface PlayDeps {
  containers: Containers
  pods: Pods
  volumes: Volumes
  images: Images
  secrets(): Promise<Secrets>
  networks(): Promise<Networks>
  builds(): Promise<Builds>
  /** Directories of the engine, which no pod may have. */
  ownDirectories: readonly string[]
}

/** A pod as this node makes it. */
interface Planned {
  of: PlayedObject
  node: NodePod
  /** The same with another uid. */
  again(uid: string): NodePod
  /** Begins the names of its own volumes. */
  ownName: string
}

/**
 * Makes what the objects of files say. All is read, and every image had, before anything is made; a pod that cannot be made leaves nothing,
 * one whose containers cannot be started stays, as podman's. Throws InvalidArgument, NotFound, AlreadyExists for a pod's name.
 */
export async function playFiles(deps: PlayDeps, files: readonly KubeFile[], options: PlayOptions): Promise<PlayReport> {
  const objects = withOptions(readPlay(files), options)
  checkKinds(objects)
  const planned = await planPods(deps, objects, options)
  tellWarnings(objects, planned, options)
  const claims = objects.claims.map(({ claim, place, object }) => {
    const volume = claimedVolume(claim)
    const device = volume.options?.["device"]
    if (device?.startsWith("/")) refuseOwn(device, `${place}: ${object}: metadata.annotations`, deps.ownDirectories)
    return volume
  })
  const volumes: string[] = []
  for (const claim of claims.toReversed()) volumes.push(await makeClaimed(deps.volumes, claim, options))
  const secrets: string[] = []
  if (objects.secrets.length > 0) {
    const store = await deps.secrets()
    for (const { secret } of objects.secrets.toReversed()) secrets.push(storeSecret(store, secret))
  }
  if (planned.some(({ node }) => usesPlayNetwork(node.pod))) await ensureNetwork(await deps.networks())
  const pods: PlayedPod[] = []
  for (const one of planned) {
    throwIfAborted(options.signal, `the making of pod "${one.node.pod.name ?? ""}"`)
    pods.push(await makePod(deps, one, options))
  }
  return { volumes, secrets, pods }
}

/** Annotations and labels of the call, on pods and claims. */
function withOptions(
  objects: PlayObjects,
  { annotations = {}, labels = {}, configMaps = [] }: PlayOptions,
): PlayObjects {
  const all = [...objects.pods.map(({ pod }) => pod), ...objects.claims.map(({ claim }) => claim)]
  for (const object of all) {
    const { metadata = {} } = object
    object.metadata = {
      ...metadata,
      annotations: { ...metadata.annotations, ...annotations },
      labels: { ...metadata.labels, ...labels },
    }
  }
  objects.configMaps.push(...readConfigMaps(configMaps, objects.configMaps))
  return objects
}

function checkKinds({ pods, claims, secrets, configMaps }: PlayObjects): void {
  if (pods.length + claims.length + secrets.length > 0) return
  throw new InvalidArgument(
    configMaps.length > 0
      ? "ConfigMaps in podman are not a standalone object and must be used in a container"
      : "YAML document does not contain any supported kube kind",
    { hint: { valid: ["Pod", "Deployment", "DaemonSet", "Job", "PersistentVolumeClaim", "ConfigMap", "Secret"] } },
  )
}

async function planPods(deps: PlayDeps, objects: PlayObjects, options: PlayOptions): Promise<Planned[]> {
  if (objects.pods.length === 0) return []
  const secretOf = secretsOf(objects, await deps.secrets())
  const wanted = objects.pods.flatMap((one) => wantedImages(one, secretOf))
  const sources = sourcesOf(objects, secretOf, await playImages(deps, wanted, options))
  const names = new OwnVolumes(deps.volumes, objects)
  const planned = objects.pods.map((of, index): Planned => {
    const ownName = randomHex(32)
    const facts: NodeFacts = {
      ...nodeFacts(),
      uid: uuidOf(ownName),
      namespace: of.pod.metadata?.namespace ?? "default",
    }
    const translate = (uid: string): NodePod => {
      const node = translatePod({
        pod: of.pod,
        sources,
        facts: { ...facts, ...podAddress(options, index), uid },
        volumeName: (name, object) => names.of(ownName, name, object),
        ...(options.noPodPrefix && { containerName: (name: string) => name }),
        ...(options.publishAll && { publishAll: true }),
        ...(options.userNamespace && { userNamespace: options.userNamespace }),
        ...(options.seccompRoot !== undefined && { seccompRoot: options.seccompRoot }),
      })
      return asAsked(node, of, options, index)
    }
    try {
      return { of, ownName, node: translate(uuidOf(ownName)), again: translate }
    } catch (error) {
      if (!isSkiffError(error)) throw error
      throw error.restated(`${of.place}: ${of.object}: ${error.message}`)
    }
  })
  checkNames(deps.pods, planned)
  return planned
}

/**
 * What the engine calls a pod's own volumes: as podman does by the names of objects and volumes, unless something else has that name, so that no
 * pod gets another's.
 */
class OwnVolumes {
  readonly #volumes: Volumes
  readonly #taken: Set<string>
  readonly #chosen = new Map<string, string>()

  constructor(volumes: Volumes, { pods, claims }: PlayObjects) {
    this.#volumes = volumes
    const mounted = pods.flatMap(({ pod }) => pod.spec?.volumes ?? [])
    this.#taken = new Set([
      ...claims.map(({ claim }) => claim.metadata?.name ?? ""),
      ...mounted.flatMap((one) => [one.persistentVolumeClaim?.claimName ?? "", one.hostPath?.path ?? ""]),
    ])
  }

  of(ownName: string, volume: string, object = volume): string {
    const key = `${ownName}-${volume}`
    const known = this.#chosen.get(key)
    if (known !== undefined) return known
    const isTaken = this.#taken.has(object) || this.#volumes.list().some(({ name }) => name === object)
    const name = isTaken ? key : object
    this.#taken.add(name)
    this.#chosen.set(key, name)
    return name
  }
}

/** A name that is taken is found before anything is made. */
function checkNames(pods: Pods, planned: readonly Planned[]): void {
  const names = new Set<string>()
  for (const { node, of } of planned) {
    const { name = "" } = node.pod
    if (names.has(name)) throw new InvalidArgument(`${of.place}: there is another pod "${name}" before it`)
    names.add(name)
    if (isThere(pods, name)) throw takenName(name)
  }
}

function isThere(pods: Pods, name: string): boolean {
  try {
    pods.idOf(name)
    return true
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return false
    throw error
  }
}

/** In podman's words. */
function takenName(name: string): AlreadyExists {
  return new AlreadyExists(`adding pod to state: name "${name}" is in use: pod already exists`, {
    field: "name",
    data: { object: "pod", name },
    hint: { do: "set", field: "replace" },
  })
}

/** Those that are named alone have not been checked yet: what is none is refused by name when it is translated. */
function wantedImages({ pod }: PlayedObject, secretOf: NodeSources["secret"]): WantedImage[] {
  const { initContainers = [], containers = [], volumes = [], imagePullSecrets = [] } = pod.spec ?? {}
  const secrets = imagePullSecrets.flatMap(({ name = "" }) => inBase64(secretOf(name)) ?? [])
  const of = [...initContainers, ...containers].flatMap(({ image, imagePullPolicy }) =>
    image ? [{ reference: image, pull: pullOf(imagePullPolicy, image, "spec.containers") }] : [],
  )
  const mounted = (volumes as readonly PodVolume[]).flatMap(({ image }) =>
    image?.reference
      ? [
          {
            reference: image.reference,
            pull: pullOf(image.pullPolicy, image.reference, "spec.volumes"),
            isVolume: true,
          },
        ]
      : [],
  )
  return [...of, ...mounted].map((one) => {
    const [credentials] = credentialsFor(one.reference, secrets)
    return credentials === undefined ? one : Object.assign(one, { credentials })
  })
}

function inBase64(secret: Secret | undefined): Secret | undefined {
  if (secret?.stringData === undefined) return secret
  const texts = Object.entries(secret.stringData).map(([key, text]) => [key, Buffer.from(text).toString("base64")])
  return { ...secret, data: { ...secret.data, ...(Object.fromEntries(texts) as Record<string, string>) } }
}

/** A file's own go before those of the store. */
function secretsOf(objects: PlayObjects, store: Secrets): NodeSources["secret"] {
  const own = new Map(objects.secrets.map(({ secret }) => [secret.metadata?.name ?? "", secret]))
  return (name) => own.get(name) ?? storedSecret(store, name)
}

function sourcesOf(objects: PlayObjects, secret: NodeSources["secret"], image: NodeSources["image"]): NodeSources {
  const configMaps = new Map(objects.configMaps.map((map) => [map.metadata?.name ?? "", map]))
  return {
    configMap: (name) => configMaps.get(name),
    secret,
    claim: (name) => ({ volume: name, copyUp: true }),
    image: (reference) => image(reference),
  }
}

function nodeFacts(): Omit<NodeFacts, "uid" | "namespace"> {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  const hostIps = addresses
    .filter(({ internal, family }) => !internal && family === "IPv4")
    .map(({ address }) => address)
  return { nodeName: hostname(), hostIps, cpus: availableParallelism(), memoryBytes: totalmem() }
}

function uuidOf(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5")
}

function podAddress({ addresses = [], network }: PlayOptions, index: number): Pick<NodeFacts, "podIps"> {
  const address = addresses[index] ?? network?.address
  return address === undefined ? {} : { podIps: [address] }
}

/** What the call says of pods goes over what they say of themselves. */
function asAsked(node: NodePod, { pod, retries }: PlayedObject, options: PlayOptions, index: number): NodePod {
  const { network: asked, noHosts = false, noHostname = false } = options
  const isHost = node.pod.network?.kind === "host" && asked === undefined
  const network = asked ?? (isHost ? {} : { network: { kind: "bridge" as const, name: PLAY_NETWORK } })
  if (noHosts && (pod.spec?.hostAliases ?? []).length > 0)
    throw new InvalidArgument("HostAliases in yaml file will not work without a hosts file", {
      field: "etc.noHosts",
      hint: { do: "omit", field: "etc.noHosts" },
    })
  const etc = { ...(noHosts && { noHosts }), ...(noHostname && { noHostname }) }
  const made: PodOptions = { ...node.pod, ...network, ...(Object.keys(etc).length > 0 && { etc }) }
  const { ports: own = [], ...rest } = made
  const isBridge = made.network?.kind === "bridge"
  const ports = mergedPorts(own, options.publish ?? [])
  return {
    ...node,
    pod: {
      ...(made.network?.kind === "bridge" ? withAddresses(rest, node.containers, options, index) : rest),
      ...(isBridge && ports.length > 0 && { ports }),
    },
    containers: node.containers.map((one) => asContainer(one, options, retries)),
  }
}

function asContainer(one: NodeContainer, { log }: PlayOptions, retries: number | undefined): NodeContainer {
  const { restart } = one.options
  const { hooks, role } = one
  const isTried = retries !== undefined && restart?.name === "on-failure"
  return {
    ...one,
    options: {
      ...one.options,
      ...(log && { log }),
      ...(role !== "init" && Object.keys(hooks).length > 0 && { lifecycle: withinItself(one) }),
      ...(isTried && { restart: { name: retries === 0 ? "no" : "on-failure", maximumRetryCount: retries } }),
    },
  }
}

/** Requests go to the container itself: whom else a file names nobody asks for it. Throws InvalidArgument. */
function withinItself({ hooks, path }: NodeContainer): NonNullable<ContainerOptions["lifecycle"]> {
  for (const [hook, handler] of Object.entries(hooks) as [string, NodeHandler][])
    if ("host" in handler && handler.host !== undefined && !isOwn(handler.host))
      throw new InvalidArgument(
        `${path}.lifecycle.${hook}: "${handler.host.slice(0, 100)}" is not the container itself`,
        {
          data: { path: `${path}.lifecycle.${hook}` },
        },
      )
  return hooks
}

/** Containers are found by the names that the pod has for them. */
function withAddresses(
  pod: Omit<PodOptions, "ports">,
  containers: readonly NodeContainer[],
  { addresses = [], macAddresses = [] }: PlayOptions,
  index: number,
): PodOptions {
  const { network, networks, address, macAddress, ...rest } = pod
  const name = network?.kind === "bridge" ? network.name : PLAY_NETWORK
  const requests = networks ?? [{ network: name, address, macAddress }]
  const own = { address: addresses[index], macAddress: macAddresses[index] }
  for (const [field, value] of Object.entries(own))
    if (value !== undefined && requests.length !== 1)
      throw new InvalidArgument("an address can be set for one network alone", {
        field,
        hint: "say it with the network: NETWORK:ip=…,mac=…",
      })
  const aliases = containers.filter(({ role }) => role !== "init").map((one) => one.name)
  const all = requests.map((request) =>
    Object.assign(
      { ...request, aliases: [...(request.aliases ?? []), ...aliases] },
      own.address !== undefined && { address: own.address },
      own.macAddress !== undefined && { macAddress: own.macAddress },
    ),
  )
  return { ...rest, network: { kind: "bridge", name }, networks: all }
}

/** A port of the call goes before the pod's own of the same number and protocol inside. */
function mergedPorts(own: readonly PortMapping[], asked: readonly PortMapping[]): PortMapping[] {
  const taken = new Set(asked.map(insidePort))
  return [...asked, ...own.filter((port) => !taken.has(insidePort(port)))]
}

function insidePort({ containerPort, protocol }: PortMapping): string {
  return `${containerPort}/${protocol}`
}

/** Each is told once; where all of it is to be as it says, none may be. */
function tellWarnings(
  objects: PlayObjects,
  planned: readonly Planned[],
  { strict = false, onWarning }: PlayOptions,
): void {
  const unhonoured = planned.flatMap(({ of, node }) =>
    node.warnings.map(({ path, text }) => ({ place: of.place, object: of.object, path, text })),
  )
  const all = [...objects.warnings, ...unhonoured]
  const [first] = all
  if (strict && first !== undefined)
    throw new InvalidArgument(
      `${all.length} of what is asked for cannot be done: ${all
        .slice(0, 20)
        .map(({ place, object, path, text }) => `${place}: ${object}: ${path === undefined ? "" : `${path}: `}${text}`)
        .join("; ")}`,
      { field: "strict", data: { path: first.path } },
    )
  for (const warning of all) onWarning?.(warning)
}

function usesPlayNetwork({ network }: PodOptions): boolean {
  return network?.kind === "bridge" && network.name === PLAY_NETWORK
}

async function ensureNetwork(networks: Networks): Promise<void> {
  if (networks.list().some(({ name }) => name === PLAY_NETWORK)) return
  try {
    await networks.create({ name: PLAY_NETWORK })
  } catch (error) {
    // another one has made it meanwhile
    if (!isSkiffError(error, "AlreadyExists")) throw error
    networks.get(PLAY_NETWORK)
  }
}

async function makePod(deps: PlayDeps, planned: Planned, options: PlayOptions): Promise<PlayedPod> {
  const { of, ownName } = planned
  const name = planned.node.pod.name ?? ""
  const warnings = new Warnings()
  const pod = await createPod(deps.pods, planned.node.pod)
  // a pod's id is its uid, which is known by now
  const node = JSON.stringify(of.pod).includes("metadata.uid") ? planned.again(pod.id) : planned.node
  const tell = (path: string, text: string): void => {
    if (options.strict) throw new InvalidArgument(`${of.place}: ${of.object}: ${path}: ${text}`, { field: "strict" })
    options.onWarning?.({ place: of.place, object: of.object, path, text })
  }
  try {
    await prepareVolumes(deps, node.volumes, { holder: `pod:${ownName}`, warnings, signal: options.signal })
    for (const { path, text } of warnings.list) tell(path, text)
    const ids = new Map<string, string>()
    for (const container of node.containers)
      ids.set(container.name, await createIn(deps, pod.id, container, tell, options))
    const failures = options.start === false ? [] : await startFailures(deps.pods, pod.id, options)
    const containers = node.containers.filter(({ role }) => role !== "init").flatMap((one) => ids.get(one.name) ?? [])
    return { id: pod.id, name, containers, failures }
  } catch (error) {
    // nothing of it is left; what comes of that is told no more than why it is
    await Promise.allSettled([deps.pods.remove(pod.id, { force: true })])
    await Promise.allSettled(
      node.volumes.flatMap((volume) =>
        volume.kind === "empty" || volume.kind === "files" ? [deps.volumes.remove(volume.volume, { force: true })] : [],
      ),
    )
    if (!isSkiffError(error) || error.code === "Cancelled") throw error
    throw error.restated(`${of.place}: ${of.object}: ${error.message}`)
  }
}

async function createPod(pods: Pods, options: PodOptions): ReturnType<Pods["create"]> {
  try {
    return await pods.create(options)
  } catch (error) {
    if (!isSkiffError(error, "AlreadyExists") || error.field !== "name") throw error
    throw takenName(options.name ?? "")
  }
}

/** Where the host has no controllers for an ordinary user, podman leaves limits out, and says so: the same here. */
async function createIn(
  { pods, containers }: PlayDeps,
  pod: string,
  { options, path }: NodeContainer,
  tell: (path: string, text: string) => void,
  { signal }: PlayOptions,
): Promise<string> {
  const create = async (wanted: ContainerOptions): Promise<string> => {
    const { id } = await containers.create(await pods.containerOptions(pod, wanted), undefined, { abort: signal })
    return id
  }
  try {
    return await create(options)
  } catch (error) {
    const isLimit = isSkiffError(error, "FailedPrecondition") && /^resources?\b/.test(error.field ?? "")
    if (!isLimit) throw error
    tell(`${path}.resources`, `${error.message}: it is not limited`)
    return create({ ...options, resources: {} })
  }
}

async function startFailures(pods: Pods, id: string, { signal }: PlayOptions): Promise<unknown[]> {
  try {
    await pods.start(id, signal === undefined ? {} : { signal })
    return []
  } catch (error) {
    if (isSkiffError(error, "Cancelled")) throw error
    return error instanceof AggregateError ? (error.errors as unknown[]) : [error]
  }
}
