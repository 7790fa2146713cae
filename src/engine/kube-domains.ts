/** What of the engine is about Kubernetes: the objects, their API, what keeps them true, and the way from pods to who serves them. */
import { mkdirSync } from "node:fs"
import type { Database } from "../base/database.ts"
import type { Kube, HookNetwork, KubeApi, KubeControl, KubeObjects } from "../kube/kube.ts"
import { rootlessUid, type StorePaths } from "../sys/fs/paths.ts"
import type { Engine, PodPlace } from "./engine.ts"
import { wakeHelper } from "./helper-process.ts"
import { once } from "./once.ts"

/** So long nobody looks again whether the supervisor runs that was just started. */
const WOKEN_FRESH_MS = 1000

/** What it has of the engine that it is a part of. */
export interface KubeHost extends Pick<
  Engine,
  "builds" | "containers" | "events" | "images" | "networks" | "pods" | "sandboxes" | "secrets" | "volumes"
> {
  store(): { paths: StorePaths; db: Database }
  /** Where bridges and rules are, when not in the host's own network namespace. */
  netns(): Promise<string | undefined>
  /** Whether containers reach the host by pasta. */
  byPasta(): Promise<boolean>
  /** The words that run a hidden command of ours on this store. */
  ownCommand(...words: string[]): string[]
  wakeSupervisor(): void
}

export class KubeDomains {
  readonly #host: KubeHost
  /** The supervisor was started for objects, or is this process. */
  #wokenAt = 0
  #isControl = false

  constructor(host: KubeHost) {
    this.#host = host
  }

  readonly files = once(async (): Promise<Kube> => {
    const [{ openKube }, containers, pods, volumes, images] = await Promise.all([
      import("../kube/open.ts"),
      this.#host.containers(),
      this.#host.pods(),
      this.#host.volumes(),
      this.#host.images(),
    ])
    const { root, runRoot } = this.#host.store().paths
    return openKube({
      containers,
      pods,
      volumes,
      images,
      secrets: this.#host.secrets,
      networks: this.#host.networks,
      builds: this.#host.builds,
      ownDirectories: [root, runRoot],
    })
  })

  readonly objects = once(async (): Promise<KubeObjects> => {
    const [{ openObjects }, { admit }, { assignNewService }, { findNetwork }, { Tokens }] = await Promise.all([
      import("../kube/objects/open.ts"),
      import("../kube/api/admission/admit.ts"),
      import("../kube/services/assign-new.ts"),
      import("../network/network-records.ts"),
      import("../kube/api/tokens.ts"),
    ])
    const { db, paths } = this.#host.store()
    const tokens = new Tokens(`${paths.root}/kube`)
    const objects: KubeObjects = openObjects({
      db,
      root: paths.root,
      admit(kind, object) {
        const admitted = admit(objects, kind, object, tokens)
        if (kind.kind !== "Service" || kind.group !== "") return admitted
        return assignNewService(objects, findNetwork(db, "kube"), admitted)
      },
      onChange: (resource) => this.#supervise(objects, resource),
    })
    return objects
  })

  readonly api = once(async (): Promise<KubeApi> => {
    const [{ openKubeApi }, { Tokens }, objects] = await Promise.all([
      import("../kube/api/open.ts"),
      import("../kube/api/tokens.ts"),
      this.objects(),
    ])
    const { db, paths } = this.#host.store()
    return openKubeApi({
      objects,
      transaction: (body) => db.transaction(body),
      hookNetwork: this.#hookNetwork(objects),
      signClient: async (request, options) => {
        const { signClientRequest } = await import("../sys/net/made-certificate.ts")
        return signClientRequest(`${paths.root}/kube/tls`, request, options)
      },
      tokens: new Tokens(`${paths.root}/kube`),
      uses: async () => {
        const [{ podUses }, containers] = await Promise.all([
          import("../kube/api/pods/pod-uses.ts"),
          this.#host.containers(),
        ])
        return podUses(containers)
      },
      podLog: async (context) => {
        const [{ podLog }, containers] = await Promise.all([
          import("../kube/api/pods/pod-log.ts"),
          this.#host.containers(),
        ])
        return podLog(context, containers)
      },
    })
  })

  /** What dials is loaded when a webhook is asked. */
  #hookNetwork(objects: KubeObjects): HookNetwork {
    const network = async (): Promise<HookNetwork> => {
      const [{ dialHook, hookNetwork }, pods, sandboxes, isRootless] = await Promise.all([
        import("../kube/services/hook-network.ts"),
        this.#host.pods(),
        this.#host.sandboxes(),
        this.#host.byPasta(),
      ])
      return hookNetwork(objects, dialHook({ pods, sandboxes, isRootless }))
    }
    return {
      endpoint: async (...service) => (await network()).endpoint(...service),
      dial: async (...target) => (await network()).dial(...target),
    }
  }

  async podPlace(): Promise<PodPlace> {
    const [{ clusterNetwork }, networks, netns] = await Promise.all([
      import("../kube/services/cluster-network.ts"),
      this.#host.networks(),
      this.#host.netns(),
    ])
    const { gateway, options } = await clusterNetwork(networks)
    const place = { gateway, services: options.virtual.services }
    if (netns === undefined) return place
    const { startRelay } = await import("./pod-relay.ts")
    const directory = `${this.#host.store().paths.runRoot}/kube`
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const socket = `${directory}/api-${process.pid}.sock`
    const start = (port: number): Disposable =>
      startRelay(this.#host.ownCommand("_relay", "--port", `${port}`, "--socket", socket))
    return { ...place, relay: { socket, start } }
  }

  async relayFromPods(request: { port: number; socket: string }): Promise<void> {
    const [{ relay }, netns] = await Promise.all([import("./pod-relay.ts"), this.#host.netns()])
    if (netns !== undefined) await relay(netns, request)
  }

  /** Once a second at most: who was woken sees what comes after, too. */
  #supervise(objects: KubeObjects, resource: string): void {
    if (this.#isControl || Date.now() - this.#wokenAt < WOKEN_FRESH_MS) return
    // a pod that is gone leaves containers
    if (resource !== "pods" && !objects.needsControl()) return
    this.#wokenAt = Date.now()
    this.#host.wakeSupervisor()
  }

  async needsControl(): Promise<boolean> {
    if ((await this.objects()).needsControl()) return true
    const [{ PodRecords }, { OWNED_LABEL }, events] = await Promise.all([
      import("../pod/records.ts"),
      import("../kube/node/agent/labels.ts"),
      this.#host.events(),
    ])
    return new PodRecords(this.#host.store().db, events).hasLabel(OWNED_LABEL)
  }

  readonly control = once(async (): Promise<KubeControl> => {
    this.#isControl = true
    const [{ openKubeControl }, { Tokens }, objects, containers, pods, sandboxes, networks, volumes, images, events] =
      await Promise.all([
        import("../kube/open-control.ts"),
        import("../kube/api/tokens.ts"),
        this.objects(),
        this.#host.containers(),
        this.#host.pods(),
        this.#host.sandboxes(),
        this.#host.networks(),
        this.#host.volumes(),
        this.#host.images(),
        this.#host.events(),
      ])
    const { paths } = this.#host.store()
    return openKubeControl({
      objects,
      containers,
      pods,
      sandboxes,
      networks,
      volumes,
      images,
      events,
      isRootless: await this.#host.byPasta(),
      isNeeded: () => this.needsControl(),
      wakeIngress: () => wakeHelper(paths.runRoot, "ingress", this.#host.ownCommand("_ingress")),
      isOrdinaryUser: rootlessUid() !== undefined,
      tokens: new Tokens(`${paths.root}/kube`),
      ...paths,
    })
  })

  /** The supervisor was killed, and this is the first command since, or the end of a container. Where there are no objects it costs 20 µs. */
  async keepControl(): Promise<void> {
    if (this.#isControl) return
    const { needsControl } = await import("../kube/objects/needs-control.ts")
    if (needsControl(this.#host.store().db)) this.#host.wakeSupervisor()
  }
}
