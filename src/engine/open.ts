import { existsSync } from "node:fs"
import { join } from "node:path"
import { isSkiffError } from "../base/errors.ts"
import { Database } from "../base/database.ts"
import type { BuildDeps } from "../build/deps.ts"
import type { ExecutorDeps } from "../build/execute/deps.ts"
import type { Builds } from "../build/build.ts"
import type { WorkingContainers } from "../builder/builder.ts"
import type { Cancellable } from "../base/cancel.ts"
import { log } from "../base/log.ts"
import { trace } from "../base/trace.ts"
import type { ContainerDeps } from "../container/deps.ts"
import type { Containers } from "../container/container.ts"
import type { ContentStore, Leases } from "../content/content.ts"
import type { Collected } from "../content/collect.ts"
import type { Images } from "../image/image.ts"
import type { StoreCap } from "../image/cap-settings.ts"
import { readSampling } from "../meter/sampling.ts"
import type { Meter } from "../meter/meter.ts"
import type { Network, NetworkUser, Networks } from "../network/network.ts"
import type { NetworkSettings } from "../network/settings.ts"
import type { Explorer } from "../explore/explore.ts"
import type { Explanations } from "../explain/explain.ts"
import type { Events, NewEvent } from "../event/event.ts"
import type { Audit } from "../audit/audit.ts"
import type { Pods } from "../pod/pod.ts"
import { noProgress } from "../base/progress.ts"
import type { Compose } from "../compose/compose.ts"
import type { Registries, RegistryStore } from "../registry/registry.ts"
import type { Runtimes } from "../runtime/runtime.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import { libc } from "../sys/libc.ts"
import { defaultPaths, rootlessUid, type StorePaths } from "../sys/fs/paths.ts"
import { bootId } from "../sys/process/process.ts"
import { ownCommand } from "../sys/host.ts"
import { ourPrivilege } from "../sys/rootless/privilege.ts"
import type { Sandboxes } from "../sandbox/sandbox.ts"
import type { Artifacts } from "../artifact/artifact.ts"
import type { ManifestLists } from "../manifest/manifest.ts"
import type { Scans } from "../scan/scan.ts"
import type { Admissions } from "../scan/policy/open-policy.ts"
import type { Secrets } from "../secret/secret.ts"
import type { Volumes } from "../volume/volume.ts"
import { containerFiles } from "./container-files.ts"
import type { HostCheck } from "../doctor/doctor.ts"
import type { EngineInfo } from "../docker/info-document.ts"
import type { CheckReport, CheckRequest } from "./check.ts"
import type { DiskUsage } from "./disk-usage.ts"
import type { Engine, EngineOptions, PodPlace, StoreContents } from "./engine.ts"
import { KubeDomains } from "./kube-domains.ts"
import { once } from "./once.ts"
import type { PruneDeps, PruneReport, PruneRequest } from "./prune.ts"
import type { RegistryStoreOptions } from "./registry-store.ts"
import type { ResetDeps } from "./reset.ts"
import { helperLock, keepSuccessor, wakeHelper } from "./helper-process.ts"
import { SCHEMAS } from "./schemas.ts"
import { openStoreDirectories } from "./store-directories.ts"

/** The engine of one store. Opens nothing until a domain is asked for, and of that no more than it needs. */
export function openEngine(options: EngineOptions = {}): Engine {
  return new LocalEngine(options)
}

/** How long what was read of the meter's setting is believed. */
const SAMPLING_FRESH_MS = 1000

/** Most hosts have no settings of ours, and need no code to read them. */
function hasSettings(): boolean {
  return existsSync(process.env.SKIFF_CONFIG || "/etc/skiff/skiff.toml")
}

class LocalEngine implements Engine {
  readonly #options: EngineOptions
  readonly #isRootless = ourPrivilege() !== "root"
  #opened: { paths: StorePaths; db: Database } | undefined
  #containers: (Containers & AsyncDisposable) | undefined
  #sampling: { readAt: number; ms: number | undefined } | undefined
  /** Containers or networks were looked at. */
  #usesNetworks = false

  constructor(options: EngineOptions) {
    this.#options = options
  }

  get #paths(): StorePaths {
    const { root, runRoot } = this.#options
    if (root !== undefined && runRoot !== undefined) return { root, runRoot }
    const defaults = defaultPaths()
    return { root: root ?? defaults.root, runRoot: runRoot ?? defaults.runRoot }
  }

  /** Directories and database; 1 ms. */
  get #store(): { paths: StorePaths; db: Database } {
    if (this.#opened) return this.#opened
    // what we make for containers has the modes we say, whatever the caller's umask
    libc.umask(0o022)
    const paths = openStoreDirectories(this.#paths)
    const db = new Database(`${paths.root}/skiff.db`)
    db.migrate(SCHEMAS)
    trace("store opened")
    return (this.#opened = { paths, db })
  }

  /** The words that run a hidden command of ours on this store. */
  #ownCommand(...words: string[]): string[] {
    const { root, runRoot } = this.#store.paths
    const flags = (this.#options.runtimeFlags ?? []).flatMap((flag) => ["--runtime-flag", flag])
    const hooks = (this.#options.hooksDirectories ?? []).flatMap((directory) => ["--hooks-dir", directory])
    const globals = ["--root", root, "--runroot", runRoot, ...flags, ...hooks]
    return [...(this.#options.command ?? ownCommand()), ...globals, ...words]
  }

  readonly audit = once(async (): Promise<Audit> => {
    const { openAudit } = await import("../audit/open.ts")
    const { caller = () => ({ uid: process.getuid?.() ?? 0, pid: process.pid, command: "", flags: {} }) } =
      this.#options
    return openAudit({ db: this.#store.db, caller })
  })

  readonly events = once(async (): Promise<Events> => {
    const [{ openEvents }, { changeOfEvent }, audit] = await Promise.all([
      import("../event/open.ts"),
      import("../audit/change-of-event.ts"),
      this.audit(),
    ])
    const onAppend = (event: NewEvent): void => {
      const change = changeOfEvent(event)
      if (change !== undefined) audit.append(change)
    }
    return openEvents({ db: this.#store.db, onAppend })
  })

  readonly meter = once(async (): Promise<Meter> => {
    const [{ openMeter }, { accountName }] = await Promise.all([
      import("../meter/open.ts"),
      import("../sys/account.ts"),
    ])
    return openMeter({ db: this.#store.db, accountName })
  })

  readonly #content = once(async (): Promise<ContentStore> => {
    const { openContentStore } = await import("../content/open.ts")
    return openContentStore({ root: this.#store.paths.root })
  })

  readonly #leases = once(async (): Promise<Leases> => {
    const { openLeases } = await import("../content/leases.ts")
    return openLeases({ db: this.#store.db })
  })

  readonly #snapshots = once(async (): Promise<Snapshotter> => {
    const { openSnapshotter } = await import("../snapshot/open.ts")
    const { paths, db } = this.#store
    return openSnapshotter({ root: paths.root, db, rootless: this.#isRootless })
  })

  readonly #runtimes = once(async (): Promise<Runtimes> => {
    const { openRuntimes } = await import("../runtime/open.ts")
    const { root, runRoot } = this.#store.paths
    const { runtime, runtimeFlags, hooksDirectories } = this.#options
    return openRuntimes({ root, runRoot, runtime, runtimeFlags, hooksDirectories })
  })

  /** The blobs, and as such the layers of builds, which are kept as snapshots. */
  readonly #blobs = once(async (): Promise<ContentStore> => {
    const [{ withSnapshotBlobs }, content, snapshots] = await Promise.all([
      import("../image/snapshot-blobs.ts"),
      this.#content(),
      this.#snapshots(),
    ])
    return withSnapshotBlobs(content, snapshots, this.#store.db)
  })

  async #collect(signal?: AbortSignal): Promise<Collected> {
    const [{ collectStore }, content, snapshots] = await Promise.all([
      import("./collect.ts"),
      this.#content(),
      this.#snapshots(),
    ])
    const { paths, db } = this.#store
    return collectStore({ signal, db, root: paths.root, content, snapshots })
  }

  readonly registries = once(async (): Promise<Registries> => {
    const { openRegistries } = await import("../registry/open.ts")
    return openRegistries()
  })

  async registryStore(directory: string, options?: RegistryStoreOptions): Promise<RegistryStore & AsyncDisposable> {
    const { openRegistryStore } = await import("./registry-store.ts")
    return openRegistryStore(directory, this.registries, options)
  }

  readonly images = once(async (): Promise<Images> => {
    const [{ openImages }, { ContainerRecords }, { WorkingRecords }, events, content, snapshots, leases] =
      await Promise.all([
        import("../image/open.ts"),
        import("../container/records.ts"),
        import("../builder/records.ts"),
        this.events(),
        this.#blobs(),
        this.#snapshots(),
        this.#leases(),
      ])
    const { paths, db } = this.#store
    const containers = new ContainerRecords(db, events)
    const working = new WorkingRecords(db)
    const images = openImages({
      root: paths.root,
      mounts: join(paths.runRoot, "image-mounts"),
      db,
      events,
      content,
      snapshots,
      leases,
      rootless: this.#isRootless,
      usedBy: (imageId) => [...containers.usersOfImage(imageId), ...working.usersOfImage(imageId)],
      collect: (signal) => this.#collect(signal),
      registries: this.registries,
      cap: await this.#storeCap(),
      looseNames: this.#options.looseNames,
      partialPulls: async () => (await import("../image/settings.ts")).readPartialImages(),
    })
    if (!hasSettings()) return images
    const { withAdmission } = await import("./admitted-pulls.ts")
    return withAdmission(images, this.#policy)
  })

  /** Undefined: nothing forbids an image. */
  readonly #policy = once(async (): Promise<Admissions | undefined> => {
    const { openPolicy } = await import("../scan/policy/open-policy.ts")
    return openPolicy({
      scans: () => this.scans(),
      root: this.#store.paths.root,
      isBuiltHere: async (id) => {
        const history = await (await this.builds()).history()
        return history.list().some(({ images: made }) => made.includes(id))
      },
    })
  })

  /** Undefined: images may take anything. */
  async #storeCap(): Promise<StoreCap | undefined> {
    if (!hasSettings()) return undefined
    return await (await import("../image/cap-settings.ts")).readStoreCap()
  }

  /** Undefined: nothing is set. */
  readonly #networkSettings = once(async (): Promise<NetworkSettings | undefined> => {
    if (!hasSettings()) return undefined
    const { readNetworkSettings } = await import("../network/settings.ts")
    return readNetworkSettings()
  })

  /** Whether containers reach the host by pasta: an ordinary user's, and root's by choice. */
  readonly #byPasta = once(
    async (): Promise<boolean> => this.#isRootless || (await this.#networkSettings())?.uplink === "pasta",
  )

  /** Where bridges and rules are, when not in the host's own network namespace. */
  async #netns(): Promise<string | undefined> {
    if (this.#isRootless) return (await import("../sys/rootless/namespaces.ts")).rootlessNetns()
    if (!(await this.#byPasta())) return undefined
    const { ensureOwnNetns } = await import("../network/own-netns.ts")
    return await ensureOwnNetns(this.#store.paths.runRoot)
  }

  readonly networks = once(async (): Promise<Networks> => {
    this.#usesNetworks = true
    const { openNetworks } = await import("../network/open.ts")
    const { paths, db } = this.#store
    return openNetworks({
      db,
      runRoot: paths.runRoot,
      netns: await this.#netns(),
      events: await this.events(),
      wakeResolver: () => this.#wakeResolver(),
      addressPools: (await this.#networkSettings())?.addressPools,
      users: () => this.#networkUsers(),
    })
  })

  #wakeResolver(): void {
    wakeHelper(this.#store.paths.runRoot, "resolver", this.#ownCommand("_resolve"))
  }

  async resolveNames(options?: { wasHanded?: boolean }): Promise<void> {
    const { resolveNames } = await import("../network/dns/resolver.ts")
    const { paths, db } = this.#store
    const takeLock = (wasHanded: boolean) => helperLock(paths.runRoot, "resolver", wasHanded)
    const [{ clusterNames }, objects] = await Promise.all([import("../kube/services/names.ts"), this.kubeObjects()])
    const names = clusterNames(objects)
    await resolveNames({ db, runRoot: paths.runRoot, netns: await this.#netns(), takeLock, names }, options)
  }

  async serveIngresses(options?: { wasHanded?: boolean }): Promise<void> {
    const [{ serveIngresses }, objects, netns] = await Promise.all([
      import("../kube/ingress/serve.ts"),
      this.kubeObjects(),
      this.#netns(),
    ])
    const { runRoot } = this.#store.paths
    // where the pods are
    if (netns !== undefined) (await import("../sys/net/netns.ts")).enterNetns(netns)
    const takeLock = (wasHanded: boolean) => helperLock(runRoot, "ingress", wasHanded)
    await serveIngresses({ objects, isOrdinaryUser: rootlessUid() !== undefined, takeLock }, options)
  }

  async keepResolver(): Promise<void> {
    const { paths, db } = this.#store
    // left by one that was killed: who ends in peace takes it away
    if (!existsSync(`${paths.runRoot}/network/resolver`)) return
    const { needsResolver } = await import("../network/dns/need.ts")
    if (needsResolver(db)) this.#wakeResolver()
  }

  async #networkUsers(): Promise<(network: Network) => readonly NetworkUser[]> {
    const { networkUsers } = await import("./network-users.ts")
    return networkUsers(this.#store.db, await this.events())
  }

  readonly volumes = once(async (): Promise<Volumes> => {
    const [{ openVolumes }, { ContainerRecords }, events] = await Promise.all([
      import("../volume/open.ts"),
      import("../container/records.ts"),
      this.events(),
    ])
    const { paths, db } = this.#store
    const containers = new ContainerRecords(db, events)
    return openVolumes({
      db,
      events,
      root: paths.root,
      kept: [paths.root, paths.runRoot],
      bootId: bootId(),
      images: this.images,
      snapshots: this.#snapshots,
      registries: this.registries,
      usedBy: (name) => containers.usersOfVolume(name),
      runningWith: async (name) =>
        (await this.containers()).list({ all: true, volume: [name] }).filter(({ state }) => "pid" in state),
      whileFrozen: async (ids, body, signal) =>
        (await this.containers()).whileFrozen(ids, body, signal === undefined ? {} : { abort: signal }),
    })
  })

  readonly manifestLists = once(async (): Promise<ManifestLists> => {
    const { openManifestLists } = await import("../manifest/open.ts")
    return openManifestLists({ db: this.#store.db, images: this.images, registries: this.registries })
  })

  readonly artifacts = once(async (): Promise<Artifacts> => {
    const [{ openArtifacts }, content, leases] = await Promise.all([
      import("../artifact/open.ts"),
      this.#content(),
      this.#leases(),
    ])
    const { db } = this.#store
    return openArtifacts({ db, content, leases, registries: this.registries, collect: () => this.#collect() })
  })

  readonly secrets = once(async (): Promise<Secrets> => {
    const { openSecrets } = await import("../secret/open.ts")
    const { paths, db } = this.#store
    return openSecrets({ db, events: await this.events(), root: paths.root })
  })

  readonly containers = once(async (): Promise<Containers> => {
    const [{ openContainers }, { ContainerRecords }, { ExecRecords }, { FileLocks }, events] = await Promise.all([
      import("../container/open.ts"),
      import("../container/records.ts"),
      import("../container/exec-records.ts"),
      import("../sys/fs/file-locks.ts"),
      this.events(),
    ])
    const { paths, db } = this.#store
    const { root, runRoot } = paths
    const host: ContainerDeps = {
      root,
      runRoot,
      bootId: bootId(),
      records: new ContainerRecords(db, events),
      execs: new ExecRecords(db, events),
      locks: new FileLocks(`${runRoot}/locks`, "container"),
      files: containerFiles(await this.#byPasta()),
      events,
      snapshots: this.#snapshots,
      images: this.images,
      ...(hasSettings() ? { admit: async (...words) => (await this.#policy())?.admit(...words) } : {}),
      networks: this.networks,
      volumes: this.volumes,
      secrets: this.secrets,
      sandboxes: () => this.sandboxes(),
      runtimes: this.#runtimes,
      meter: this.meter,
      samplingMs: () => this.#samplingMs(),
      isWatched: () => this.#isWatched(),
      ask: async (sandboxId, request, timeoutMs) => {
        const [{ askInside }, { dialFromInside }, sandboxes] = await Promise.all([
          import("../kube/node/agent/probe-request.ts"),
          import("../kube/node/agent/dial.ts"),
          this.sandboxes(),
        ])
        return askInside({ sandboxId, dial: dialFromInside(() => sandboxes) }, request, timeoutMs)
      },
      supervise: () => this.#wakeSupervisor(),
      cleanupCommand: (id, execId) => this.#ownCommand("_cleanup", id, ...(execId === undefined ? [] : [execId])),
    }
    this.#usesNetworks = true
    return (this.#containers = openContainers(host))
  })

  readonly sandboxes = once(async (): Promise<Sandboxes> => {
    const [{ openSandboxes }, { ContainerRecords }, { FileLocks }, { pauseProgram }, events] = await Promise.all([
      import("../sandbox/open.ts"),
      import("../container/records.ts"),
      import("../sys/fs/file-locks.ts"),
      import("../sandbox/pause-command.ts"),
      this.events(),
    ])
    const { paths, db } = this.#store
    const containers = new ContainerRecords(db, events)
    return openSandboxes({
      db,
      events,
      runRoot: paths.runRoot,
      bootId: bootId(),
      locks: new FileLocks(`${paths.runRoot}/sandbox-locks`, "sandbox"),
      oneWay: this.#isRootless,
      networks: this.networks,
      cgroups: async () => (await this.#runtimes()).sharedCgroups,
      usedBy: (id) => containers.usersOfSandbox(id),
      pauseProgram,
    })
  })

  readonly pods = once(async (): Promise<Pods> => {
    const [{ openPods }, { PodRecords }, { FileLocks }, events] = await Promise.all([
      import("../pod/open.ts"),
      import("../pod/records.ts"),
      import("../sys/fs/file-locks.ts"),
      this.events(),
    ])
    const { paths, db } = this.#store
    return openPods({
      records: new PodRecords(db, events),
      locks: new FileLocks(`${paths.runRoot}/pod-locks`, "pod"),
      containers: this.containers,
      sandboxes: this.sandboxes,
      networks: this.networks,
    })
  })

  readonly compose = once(async (): Promise<Compose> => {
    const [{ openCompose }, { FileLocks }] = await Promise.all([
      import("../compose/open.ts"),
      import("../sys/fs/file-locks.ts"),
    ])
    return openCompose({
      locks: new FileLocks(`${this.#store.paths.runRoot}/compose-locks`, "project"),
      containers: this.containers,
      images: this.images,
      networks: this.networks,
      volumes: this.volumes,
      secrets: this.secrets,
      builds: this.builds,
      events: this.events,
      registries: this.registries,
      clone: async (url, directory) => {
        const { clone } = await import("../build/execute/git-clone.ts")
        return clone(
          url,
          directory,
          { keepGitDir: false, submodules: false },
          { onLog: () => {}, onProgress: noProgress },
        )
      },
    })
  })

  readonly #kube = new KubeDomains({
    builds: () => this.builds(),
    containers: () => this.containers(),
    events: () => this.events(),
    images: () => this.images(),
    networks: () => this.networks(),
    pods: () => this.pods(),
    sandboxes: () => this.sandboxes(),
    secrets: () => this.secrets(),
    volumes: () => this.volumes(),
    store: () => this.#store,
    netns: () => this.#netns(),
    byPasta: () => this.#byPasta(),
    ownCommand: (...words) => this.#ownCommand(...words),
    wakeSupervisor: () => this.#wakeSupervisor(),
  })

  readonly kube = this.#kube.files
  readonly kubeObjects = this.#kube.objects
  readonly kubeApi = this.#kube.api
  readonly kubeControl = this.#kube.control

  needsKubeControl(): Promise<boolean> {
    return this.#kube.needsControl()
  }

  podPlace(): Promise<PodPlace> {
    return this.#kube.podPlace()
  }

  relayFromPods(request: { port: number; socket: string }): Promise<void> {
    return this.#kube.relayFromPods(request)
  }

  #wakeSupervisor(): void {
    wakeHelper(this.#store.paths.runRoot, "supervisor", this.#ownCommand("_supervise"))
  }

  readonly #buildDeps = once(async (): Promise<BuildDeps> => {
    const [{ openExecutor }, { BuildDirectories }, images, content, snapshots, leases] = await Promise.all([
      import("../build/execute/open-executor.ts"),
      import("../build/build-directories.ts"),
      this.images(),
      this.#blobs(),
      this.#snapshots(),
      this.#leases(),
    ])
    const { paths, db } = this.#store
    const executorDeps: ExecutorDeps = {
      root: paths.root,
      rootless: this.#isRootless,
      runtimes: this.#runtimes,
      networks: this.networks,
      files: containerFiles(await this.#byPasta()),
    }
    return {
      root: paths.root,
      db,
      images,
      content,
      snapshots,
      leases,
      rootless: this.#isRootless,
      registries: this.registries,
      directories: new BuildDirectories({
        root: paths.root,
        snapshots,
        sweepCommand: (build) => this.#ownCommand("_sweep", build),
        runtimes: this.#runtimes,
        networks: this.networks,
      }),
      openExecutor: (directory) => openExecutor(executorDeps, directory),
      collect: (signal) => this.#collect(signal),
    }
  })

  readonly builds = once(async (): Promise<Builds> => {
    const [{ openBuilds }, deps] = await Promise.all([import("../build/open.ts"), this.#buildDeps()])
    return openBuilds(deps)
  })

  readonly workingContainers = once(async (): Promise<WorkingContainers> => {
    const [{ openWorking }, { resolveBase }, { planMount }, deps] = await Promise.all([
      import("../builder/open.ts"),
      import("../build/resolve-base.ts"),
      import("../build/plan/run-mount.ts"),
      this.#buildDeps(),
    ])
    return openWorking({ ...deps, resolveBase, planMount })
  })

  readonly explorer = once(async (): Promise<Explorer> => {
    const [{ openExplorer }, images, snapshots] = await Promise.all([
      import("../explore/open.ts"),
      this.images(),
      this.#snapshots(),
    ])
    return openExplorer({ scratch: join(this.#store.paths.root, "ingest"), images, snapshots, builds: this.builds })
  })

  readonly explanations = once(async (): Promise<Explanations> => {
    const { openExplanations } = await import("../explain/open.ts")
    return openExplanations({
      containers: () => this.containers(),
      networks: () => this.networks(),
      runtimes: this.#runtimes,
      sandboxes: () => this.sandboxes(),
    })
  })

  readonly scans = once(async (): Promise<Scans> => {
    const { openScans } = await import("../scan/open.ts")
    return openScans({
      root: this.#store.paths.root,
      images: this.images,
      containers: this.containers,
      registries: this.registries,
      snapshots: this.#snapshots,
      events: this.events,
      dockerfileLines: async (id, history = []) => {
        const { dockerfileLines } = await import("../explore/source/dockerfile-lines.ts")
        return dockerfileLines(id, history, (await (await this.builds()).history()).list())
      },
      temporaryStore: async () => {
        const { openTemporaryStore } = await import("./temporary-store.ts")
        return openTemporaryStore(
          (paths) => new LocalEngine({ ...this.#options, ...paths }),
          (engine) => engine.#snapshots(),
        )
      },
    })
  })

  /** Asked of every row of a long list. */
  #samplingMs(): number | undefined {
    const isFresh = this.#sampling !== undefined && Date.now() - this.#sampling.readAt < SAMPLING_FRESH_MS
    if (!isFresh) this.#sampling = { readAt: Date.now(), ms: readSampling(this.#store.db) }
    return this.#sampling?.ms
  }

  async diskUsage(options: Cancellable = {}): Promise<DiskUsage> {
    const [{ diskUsage }, { blobsByImage }, deps, content, snapshots] = await Promise.all([
      import("./disk-usage.ts"),
      import("../image/referenced.ts"),
      this.#pruneDeps(),
      this.#content(),
      this.#snapshots(),
    ])
    const { paths, db } = this.#store
    return diskUsage({ ...deps, root: paths.root, content, snapshots, imageBlobs: () => blobsByImage(db) }, options)
  }

  async check(request: CheckRequest = {}): Promise<CheckReport> {
    const [{ checkStore }, { blobsByImage }, deps, content, snapshots] = await Promise.all([
      import("./check.ts"),
      import("../image/referenced.ts"),
      this.#pruneDeps(),
      this.#content(),
      this.#snapshots(),
    ])
    const { db } = this.#store
    return checkStore({ ...deps, db, content, snapshots, imageBlobs: () => blobsByImage(db) }, request)
  }

  async prune(request: PruneRequest): Promise<PruneReport> {
    const [{ prune }, deps] = await Promise.all([import("./prune.ts"), this.#pruneDeps()])
    return prune(deps, request)
  }

  async #pruneDeps(): Promise<PruneDeps> {
    const [
      { ContainerRecords },
      events,
      pods,
      containers,
      networks,
      networkUsers,
      volumes,
      images,
      builds,
      workingContainers,
    ] = await Promise.all([
      import("../container/records.ts"),
      this.events(),
      this.pods(),
      this.containers(),
      this.networks(),
      this.#networkUsers(),
      this.volumes(),
      this.images(),
      this.builds(),
      this.workingContainers(),
    ])
    const records = new ContainerRecords(this.#store.db, events)
    const volumeUsers = (name: string) => records.usersOfVolume(name)
    return { pods, containers, networks, networkUsers, volumes, images, builds, workingContainers, volumeUsers }
  }

  async takeSupervision(wasHanded?: boolean): Promise<Disposable | undefined> {
    return helperLock(this.#store.paths.runRoot, "supervisor", wasHanded)
  }

  async keepSuccessor(): Promise<Disposable> {
    return keepSuccessor(this.#store.paths.runRoot, "supervisor", this.#ownCommand("_supervise"))
  }

  async takeRescan(wasHanded?: boolean): Promise<Disposable | undefined> {
    return helperLock(this.#store.paths.runRoot, "rescan", wasHanded)
  }

  async keepScanned(): Promise<boolean> {
    const { root, runRoot } = this.#store.paths
    if (!this.#isWatched()) return false
    const { isScanDue } = await import("../scan/watch/watch-state.ts")
    const containers = await this.containers()
    const running = () => containers.list().map(({ id }) => id)
    if (isScanDue(`${root}/scan`, running)) wakeHelper(runRoot, "rescan", this.#ownCommand("_rescan"))
    return true
  }

  /** Somebody wants to know what becomes known of running containers. */
  #isWatched(): boolean {
    return existsSync(`${this.#store.paths.root}/scan/watch.json`)
  }

  async info(): Promise<EngineInfo> {
    const [{ engineInfo }, containers, images, snapshots, runtimes] = await Promise.all([
      import("./info.ts"),
      this.containers(),
      this.images(),
      this.#snapshots(),
      this.#runtimes(),
    ])
    const { paths } = this.#store
    return engineInfo({ paths, containers, images, snapshots, runtimes, runtime: this.#options.runtime })
  }

  /** Opens no store: it must answer where none can be opened. */
  async doctor(): Promise<HostCheck[]> {
    const { hostChecks } = await import("../doctor/open.ts")
    return hostChecks(this.#paths)
  }

  async contents(): Promise<StoreContents> {
    const { storeContents } = await import("./reset.ts")
    try {
      return storeContents(await this.#resetDeps())
    } catch (error) {
      if (!isSkiffError(error, "DataLoss")) throw error
      return {
        ...this.#paths,
        isDamaged: true,
        containers: 0,
        running: 0,
        workingContainers: 0,
        images: 0,
        volumes: [],
        networks: [],
      }
    }
  }

  async reset(): Promise<void> {
    const { giveUpRecords, resetStore } = await import("./reset.ts")
    if ((await this.contents()).isDamaged) {
      giveUpRecords(openStoreDirectories(this.#paths))
      // what was opened here has failed once and for all
      this.#usesNetworks = false
      return new LocalEngine(this.#options).reset()
    }
    // whoever watches ends by it
    await (await this.scans()).setWatched(false)
    await resetStore(await this.#resetDeps())
    // nothing is left to be repaired, or to be written, at the end
    this.#containers = undefined
    this.#usesNetworks = false
    this.#opened = undefined
  }

  async #resetDeps(): Promise<ResetDeps> {
    const [kubeObjects, pods, sandboxes, containers, workingContainers, images, volumes, networks] = await Promise.all([
      this.kubeObjects(),
      this.pods(),
      this.sandboxes(),
      this.containers(),
      this.workingContainers(),
      this.images(),
      this.volumes(),
      this.networks(),
    ])
    const { paths } = this.#store
    return { paths, pods, sandboxes, containers, workingContainers, images, volumes, networks, kubeObjects }
  }

  /** Puts back what somebody flushed from nftables. Where nothing is missing it costs 0.1 ms. */
  async #restoreFirewall(): Promise<void> {
    if (!this.#usesNetworks || (await this.#byPasta())) return
    const { hasEndpoints, isFirewallMissing, losesLoopback6 } = await import("../network/firewall-check.ts")
    const { db, paths } = this.#store
    if (!isFirewallMissing(db, paths.runRoot)) {
      if (losesLoopback6(paths.runRoot)) await (await this.containers()).reconcile()
      return
    }
    await (await this.containers()).reconcile()
    // after a boot the rules are gone, and so is who needed them
    if (hasEndpoints(db)) log.warn("the rules of container networks were missing from nftables, and have been restored")
  }

  async maintain({ signal }: Cancellable = {}): Promise<void> {
    if (hasSettings()) await (await this.images()).evict({ ...(signal && { signal }) })
    const containers = await this.containers()
    await containers.maintain({ abort: signal })
    await containers.meterRunning()
    await this.#restoreFirewall()
    await this.keepResolver()
    await (await this.networks()).removeStrays()
    if (existsSync(`${this.#store.paths.runRoot}/pod-locks`)) await (await this.pods()).reconcile()
    if (existsSync(`${this.#store.paths.runRoot}/sandboxes`)) await (await this.sandboxes()).reconcile()
    this.#store.db.checkpoint()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#opened !== undefined) await this.#kube.keepControl()
    await this.#containers?.[Symbol.asyncDispose]()
    await this.#restoreFirewall()
    if (this.#usesNetworks) await this.keepResolver()
    // not closed: that would bring its log into the database, and remove it for the next command to make again
    this.#opened?.db.flush()
  }
}
