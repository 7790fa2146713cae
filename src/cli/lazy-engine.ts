import type { Engine, EngineOptions } from "../engine/engine.ts"

/** An engine that loads and opens when first asked: `version` and `help` pay nothing for it. */
export function lazyEngine(options: EngineOptions): Engine {
  let opened: Promise<Engine> | undefined
  const engine = () => (opened ??= import("../engine/open.ts").then(({ openEngine }) => openEngine(options)))
  return {
    images: async () => (await engine()).images(),
    containers: async () => (await engine()).containers(),
    compose: async () => (await engine()).compose(),
    kube: async () => (await engine()).kube(),
    kubeObjects: async () => (await engine()).kubeObjects(),
    kubeApi: async () => (await engine()).kubeApi(),
    podPlace: async () => (await engine()).podPlace(),
    relayFromPods: async (request) => (await engine()).relayFromPods(request),
    needsKubeControl: async () => (await engine()).needsKubeControl(),
    kubeControl: async () => (await engine()).kubeControl(),
    pods: async () => (await engine()).pods(),
    sandboxes: async () => (await engine()).sandboxes(),
    workingContainers: async () => (await engine()).workingContainers(),
    builds: async () => (await engine()).builds(),
    networks: async () => (await engine()).networks(),
    volumes: async () => (await engine()).volumes(),
    artifacts: async () => (await engine()).artifacts(),
    manifestLists: async () => (await engine()).manifestLists(),
    secrets: async () => (await engine()).secrets(),
    meter: async () => (await engine()).meter(),
    audit: async () => (await engine()).audit(),
    events: async () => (await engine()).events(),
    registries: async () => (await engine()).registries(),
    registryStore: async (directory, request) => (await engine()).registryStore(directory, request),
    serveIngresses: async (request) => (await engine()).serveIngresses(request),
    resolveNames: async (request) => (await engine()).resolveNames(request),
    keepResolver: async () => (await engine()).keepResolver(),
    takeSupervision: async (wasHanded) => (await engine()).takeSupervision(wasHanded),
    keepSuccessor: async () => (await engine()).keepSuccessor(),
    takeRescan: async (wasHanded) => (await engine()).takeRescan(wasHanded),
    keepScanned: async () => (await engine()).keepScanned(),
    maintain: async (cancellable) => (await engine()).maintain(cancellable),
    explorer: async () => (await engine()).explorer(),
    explanations: async () => (await engine()).explanations(),
    scans: async () => (await engine()).scans(),
    diskUsage: async (cancellable) => (await engine()).diskUsage(cancellable),
    check: async (request) => (await engine()).check(request),
    prune: async (request) => (await engine()).prune(request),
    info: async () => (await engine()).info(),
    doctor: async () => (await engine()).doctor(),
    contents: async () => (await engine()).contents(),
    reset: async () => (await engine()).reset(),
    [Symbol.asyncDispose]: async () => {
      if (opened) await (await opened)[Symbol.asyncDispose]()
    },
  }
}
