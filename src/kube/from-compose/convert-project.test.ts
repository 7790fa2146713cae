import { describe, expect, test } from "bun:test"
import type { Project, Service } from "../../compose/compose.ts"
import { testProject } from "../../compose/test-project.suite.ts"
import type { KubeObject } from "../kube-object.ts"
import { convertProject } from "./convert-project.ts"
import type { ConvertOptions } from "./convert-options.ts"

const project = (services: Record<string, Service>, more: Partial<Project> = {}): Project =>
  testProject(services, { name: "shop", ...more })

const FILES: Readonly<Record<string, string>> = { "/p/web.conf": "listen 80\n", "/p/token": "t0p" }

const readFile = (path: string) => (FILES[path] === undefined ? undefined : Buffer.from(FILES[path]))

function convert(
  services: Record<string, Service>,
  more: Partial<Project> = {},
  options: Partial<ConvertOptions> = {},
) {
  // undefined values are left out of YAML, and so here
  return JSON.parse(JSON.stringify(convertProject(project(services, more), { readFile, ...options }))) as {
    objects: KubeObject[]
    losses: { path: string; reason: string }[]
  }
}

/** Parts of objects are looked at by the paths that Kubernetes' reference gives them. */
interface Workload {
  kind: string
  spec: {
    replicas?: number
    backoffLimit?: number
    strategy?: object
    template: { spec: { containers: Record<string, never>[]; restartPolicy?: string; [key: string]: unknown } }
  }
}

function workload(objects: readonly KubeObject[], name: string): Workload {
  const kinds = new Set(["Deployment", "DaemonSet", "Job"])
  return objects.find(({ kind, metadata }) => kinds.has(kind) && metadata.name === name) as unknown as Workload
}
const named = (objects: readonly KubeObject[], kind: string) =>
  objects.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name)
const paths = (losses: readonly { path: string }[]) => losses.map(({ path }) => path).toSorted()

describe("a service becomes", () => {
  test("a Deployment whose name is answered also without ports, and one more Service for what is published", () => {
    const { objects, losses } = convert({
      web: { image: "nginx", ports: [{ target: 80, published: "8080", protocol: "tcp" }], expose: ["443"] },
      worker: { image: "busybox", command: ["sleep", "9"], deploy: { replicas: 3 } },
    })
    expect(losses).toEqual([])
    expect(named(objects, "Service")).toEqual(["web", "web-published", "worker"])
    expect(objects.find(({ metadata, kind }) => kind === "Service" && metadata.name === "worker")?.spec).toMatchObject({
      clusterIP: "None",
    })
    const published = objects.find(({ metadata }) => metadata.name === "web-published")
    expect(published?.spec).toMatchObject({ type: "LoadBalancer", ports: [{ port: 8080, targetPort: 80 }] })
    expect(workload(objects, "worker").spec).toMatchObject({
      replicas: 3,
      template: { spec: { containers: [{ args: ["sleep", "9"] }] } },
    })
  })

  test("a Job where it is not started again, or another one waits for its end; a DaemonSet where it runs on each node", () => {
    const { objects } = convert({
      migrate: { image: "x" },
      once: { image: "x", restart: "on-failure:4" },
      agent: { image: "x", deploy: { mode: "global" } },
      web: { image: "x", depends_on: { migrate: { condition: "service_completed_successfully", required: true } } },
    })
    expect(workload(objects, "migrate").kind).toBe("Job")
    expect(workload(objects, "once")).toMatchObject({ kind: "Job", spec: { backoffLimit: 4 } })
    expect(workload(objects, "agent").kind).toBe("DaemonSet")
    expect(workload(objects, "web").kind).toBe("Deployment")
  })

  test("pods that wait for what they depend on, with all three probes of a health check", () => {
    const { objects } = convert({
      db: {
        image: "x",
        expose: ["5432"],
        healthcheck: { test: ["CMD-SHELL", "ready"], interval: "5s", start_period: "1m0s", start_interval: "2s" },
      },
      web: { image: "x", depends_on: { db: { condition: "service_healthy", required: true } } },
    })
    const [container] = workload(objects, "db").spec.template.spec.containers
    expect(container).toMatchObject({
      readinessProbe: {
        exec: { command: ["/bin/sh", "-c", "ready"] },
        periodSeconds: 5,
        timeoutSeconds: 30,
        failureThreshold: 3,
      },
      livenessProbe: { periodSeconds: 5 },
      startupProbe: { periodSeconds: 2, failureThreshold: 33 },
    })
    expect(workload(objects, "web").spec.template.spec).toMatchObject({
      initContainers: [
        {
          name: "wait-for-db",
          command: ["/bin/sh", "-c", "until nc -z -w 2 db 5432 >/dev/null 2>&1; do sleep 1; done"],
        },
      ],
    })
  })

  test("resources, identity and hooks as they are", () => {
    const { objects } = convert({
      web: {
        image: "x",
        user: "1000:5",
        cap_add: ["NET_ADMIN"],
        read_only: true,
        security_opt: ["no-new-privileges:true"],
        post_start: [{ command: ["touch", "/a b"] }, { command: ["sync"] }],
        deploy: { resources: { limits: { cpus: "0.5", memory: "67108864" }, reservations: { memory: "33554432" } } },
      },
    })
    const [container] = workload(objects, "web").spec.template.spec.containers
    expect(container).toMatchObject({
      resources: { limits: { cpu: "500m", memory: "64Mi" }, requests: { memory: "32Mi" } },
      securityContext: {
        runAsUser: 1000,
        runAsGroup: 5,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { add: ["NET_ADMIN"] },
      },
      lifecycle: { postStart: { exec: { command: ["/bin/sh", "-ec", "'touch' '/a b'\n'sync'"] } } },
    })
  })
})

describe("files", () => {
  test("a small file that is mounted becomes a ConfigMap, a directory stays on the node and is told", () => {
    const { objects, losses } = convert({
      web: {
        image: "x",
        volumes: [
          { type: "bind", source: "/p/web.conf", target: "/etc/web.conf", read_only: true },
          { type: "bind", source: "/p/src", target: "/src" },
        ],
      },
    })
    expect(objects.find(({ kind }) => kind === "ConfigMap")).toMatchObject({ data: { "web.conf": "listen 80\n" } })
    expect(workload(objects, "web").spec.template.spec.containers[0]).toMatchObject({
      volumeMounts: [{ mountPath: "/etc/web.conf", subPath: "web.conf", readOnly: true }, { mountPath: "/src" }],
    })
    expect(paths(losses)).toEqual(["services.web.volumes[1]"])
  })

  test("secrets and configs come from every source; what is external is only referred to", () => {
    const { objects } = convert(
      {
        web: {
          image: "x",
          secrets: [{ source: "token", mode: "0400" }, { source: "theirs" }],
          configs: [{ source: "motd", target: "/etc/motd" }],
        },
      },
      {
        environment: { MOTD: "hello" },
        secrets: { token: { file: "/p/token" }, theirs: { external: true, name: "real-name" } },
        configs: { motd: { environment: "MOTD" } },
      },
    )
    expect(named(objects, "Secret")).toEqual(["token"])
    expect(objects.find(({ kind }) => kind === "Secret")?.data).toEqual({
      token: Buffer.from("t0p").toString("base64"),
    })
    expect(workload(objects, "web").spec.template.spec).toMatchObject({
      volumes: [
        { secret: { secretName: "token", defaultMode: 0o400 } },
        { secret: { secretName: "real-name" } },
        { configMap: { name: "motd" } },
      ],
    })
  })

  test("a volume becomes a claim of its size, and its pods are replaced one after another", () => {
    const { objects } = convert(
      { db: { image: "x", volumes: [{ type: "volume", source: "data", target: "/d" }] } },
      { volumes: { data: { driver_opts: { size: "10g" } }, theirs: { external: true } } },
    )
    expect(named(objects, "PersistentVolumeClaim")).toEqual(["data"])
    expect(objects[0]?.spec).toMatchObject({ resources: { requests: { storage: "10Gi" } } })
    expect(workload(objects, "db").spec.strategy).toEqual({ type: "Recreate" })
  })

  test("a variable that looks like a secret stands in a Secret", () => {
    const { objects } = convert({
      db: { image: "x", environment: { DB_PASSWORD: "p", USER_NAME: "$(u)", UNSET: null } },
    })
    expect(workload(objects, "db").spec.template.spec.containers[0]).toMatchObject({
      env: [
        { name: "DB_PASSWORD", valueFrom: { secretKeyRef: { name: "db-env", key: "DB_PASSWORD" } } },
        { name: "USER_NAME", value: "$$(u)" },
      ],
    })
    expect(named(objects, "Secret")).toEqual(["db-env"])
  })
})

test("every key that a cluster has no word for is told with its path", () => {
  const { losses } = convert({
    web: {
      build: { context: "/p" },
      ulimits: { nofile: 5 },
      logging: { driver: "json-file" },
      stop_signal: "SIGINT",
      user: "www-data",
      network_mode: "service:db",
      pull_policy: "daily",
      ports: [{ target: 80, host_ip: "127.0.0.1" }],
      depends_on: { db: { condition: "service_started", restart: true, required: true } },
    },
    db: { image: "x", links: ["web"] },
  })
  expect(paths(losses)).toEqual([
    "services.db.links",
    "services.web.build",
    "services.web.depends_on.db.restart",
    "services.web.logging",
    "services.web.network_mode",
    "services.web.ports[0].host_ip",
    "services.web.pull_policy",
    "services.web.stop_signal",
    "services.web.ulimits",
    "services.web.user",
  ])
})

test("networks become policies where that is asked for: an internal one lets nothing out but questions for names", () => {
  const services: Record<string, Service> = { db: { image: "x", networks: { back: null } } }
  const networks = { back: { internal: true } }
  expect(paths(convert(services, { networks }).losses)).toEqual(["networks.back.internal"])
  const { objects, losses } = convert(services, { networks }, { networkPolicies: true, namespace: "prod" })
  expect(losses).toEqual([])
  const policy = objects.find(({ kind }) => kind === "NetworkPolicy")
  expect(policy).toMatchObject({
    metadata: { name: "shop-back", namespace: "prod" },
    spec: { policyTypes: ["Ingress", "Egress"], podSelector: { matchLabels: { "network.skiff/back": "true" } } },
  })
})
