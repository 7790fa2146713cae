/** For tests: a cluster whose objects are real, with its network in a namespace of the test's own; pods are namespaces that the test makes. */
import { Database } from "../../base/database.ts"
import { openTestHost, type Peer, type TestHost } from "../../network/test-host.ts"
import { openControl } from "../controllers/control.ts"
import type { KubeObject } from "../kube-object.ts"
import type { KubeObjects, StoredObject } from "../objects/objects.ts"
import { openObjects } from "../objects/open.ts"
import { kubeSchema } from "../objects/schema.ts"
import { clusterNetwork, type ClusterNetwork } from "./cluster-network.ts"
import { clusterNetworking, keepNetworking, type ClusterNetworking } from "./networking.ts"

export interface TestPod {
  peer: Peer
  address: string
  address6: string
  name: string
  namespace: string
}

export interface ServicesLab extends AsyncDisposable {
  host: TestHost
  db: Database
  objects: KubeObjects
  network: ClusterNetwork
  networking: ClusterNetworking
  /** A pod that runs and is ready. */
  pod(name: string, labels?: Record<string, string>, extra?: { namespace?: string; spec?: object }): Promise<TestPod>
  create(apiVersion: string, kind: string, name: string, rest: object, namespace?: string): StoredObject
  setReady(pod: Pick<TestPod, "name" | "namespace">, ready: boolean): void
  /** Tries until `look` gives what is wanted, or for five seconds. */
  until<T>(look: () => T | Promise<T>, isWanted: (found: T) => boolean): Promise<T>
}

const RESOURCES: Readonly<Record<string, string>> = {
  Service: "services",
  Endpoints: "endpoints",
  EndpointSlice: "endpointslices.discovery.k8s.io",
  NetworkPolicy: "networkpolicies.networking.k8s.io",
  Ingress: "ingresses.networking.k8s.io",
  IngressClass: "ingressclasses.networking.k8s.io",
  Secret: "secrets",
  ConfigMap: "configmaps",
  Namespace: "namespaces",
}

export async function openServicesLab(options: { byPasta?: boolean } = {}): Promise<ServicesLab> {
  const host = await openTestHost(options)
  const db = new Database(`${host.runRoot}/kube.db`)
  db.migrate([kubeSchema])
  const objects = openObjects({ db, root: host.runRoot })
  const network = await clusterNetwork(host.networks)
  let networking: ClusterNetworking | undefined
  const { cluster, queue } = openControl(objects, {
    hostname: "node",
    more(deps) {
      networking = clusterNetworking(deps, { networks: host.networks, wakeIngress: () => {}, isOrdinaryUser: false })
      return [...networking.controllers]
    },
  })
  if (networking === undefined) throw new Error("no networking was made")
  const stop = new AbortController()
  const following = cluster.follow(stop.signal)
  const running = keepNetworking(networking, stop.signal)
  const addresses = new Map<string, { address: string; address6: string }>()
  return {
    host,
    db,
    objects,
    network,
    networking,
    async pod(name, labels = {}, { namespace = "default", spec = {} } = {}) {
      const peer = await host.peer()
      const made = await host.networks.setup(network, host.endpoint(peer, `${namespace}${name}`))
      const { address, address6 = "" } = made
      addresses.set(`${namespace}/${name}`, { address, address6 })
      const object = objects.create("pods", podObject(name, namespace, labels, spec))
      objects.updateStatus("pods", { ...object, status: status(address, address6, true) })
      return { peer, address, address6, name, namespace }
    },
    create(apiVersion, kind, name, rest, namespace = "default") {
      const isClusterWide = kind === "Namespace" || kind === "IngressClass"
      const metadata = { name, ...(!isClusterWide && { namespace }) }
      const { metadata: more = {}, ...others } = rest as { metadata?: object }
      return objects.create(RESOURCES[kind] ?? "", { apiVersion, kind, metadata: { ...metadata, ...more }, ...others })
    },
    setReady({ name, namespace }, ready) {
      const own = addresses.get(`${namespace}/${name}`) ?? { address: "", address6: "" }
      const found = objects.get("pods", name, namespace)
      objects.updateStatus("pods", { ...found, status: status(own.address, own.address6, ready) })
    },
    async until(look, isWanted) {
      const end = Date.now() + 5_000
      for (;;) {
        const found = await look()
        if (isWanted(found)) return found
        if (Date.now() > end) throw new Error(`still ${JSON.stringify(found)}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      queue[Symbol.dispose]()
      await Promise.all([following, running])
      db[Symbol.dispose]()
      host[Symbol.dispose]()
    },
  }
}

const podObject = (name: string, namespace: string, labels: object, spec: object): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels: labels as Record<string, string> },
  spec: {
    containers: [{ name: "main", image: "none", ports: [{ name: "http", containerPort: 8080 }] }],
    nodeName: "node",
    ...spec,
  },
})
const status = (address: string, address6: string, ready: boolean): object => ({
  phase: "Running",
  podIP: address,
  podIPs: [{ ip: address }, ...(address6 === "" ? [] : [{ ip: address6 }])],
  conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
})
