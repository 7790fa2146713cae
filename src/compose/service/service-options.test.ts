import { expect, test } from "bun:test"
import { contextOf } from "./context.suite.ts"
import { referredServices, withReferences } from "./references.ts"
import { serviceOptions } from "./service-options.ts"

const own = { number: 2, configHash: "abc", imageId: "sha256:1" }

test("a container has docker's labels and name", () => {
  const service = {
    image: "debian",
    labels: { mine: "1" },
    depends_on: {
      db: { condition: "service_healthy", restart: true, required: true } as const,
      cache: { condition: "service_started", required: true } as const,
    },
  }
  const options = serviceOptions(contextOf(service), own)
  expect(options.name).toBe("p-web-2")
  expect(options.labels).toEqual({
    mine: "1",
    "com.docker.compose.project": "p",
    "com.docker.compose.project.working_dir": "/srv/p",
    "com.docker.compose.project.config_files": "/srv/p/compose.yaml",
    "com.docker.compose.service": "web",
    "com.docker.compose.version": "2.40.3",
    "com.docker.compose.container-number": "2",
    "com.docker.compose.oneoff": "False",
    "com.docker.compose.config-hash": "abc",
    "com.docker.compose.image": "sha256:1",
    "com.docker.compose.depends_on": "cache:service_started:false,db:service_healthy:true",
  })
})

test("the built image is named by project and service", () => {
  expect(serviceOptions(contextOf({ build: { context: "." } }), own).image).toBe("p-web")
  expect(serviceOptions({ ...contextOf({ build: {} }), separator: "_" }, own).image).toBe("p_web")
})

test("what runs, as whom, and how it ends", () => {
  const options = serviceOptions(
    contextOf({
      image: "debian",
      command: ["sleep", "1"],
      entrypoint: [],
      environment: { A: "1", GONE: null, EMPTY: "" },
      user: "1000",
      working_dir: "/w",
      stop_signal: "SIGINT",
      stop_grace_period: "1m30s",
      tty: true,
      stdin_open: true,
      init: true,
      read_only: true,
      extra_hosts: ["a=10.0.0.1"],
      annotations: { note: "x" },
      healthcheck: { test: ["CMD", "true"], interval: "5s", retries: 2 },
      logging: { driver: "none", options: { tag: "x" } },
      pid: "host",
      userns_mode: "keep-id",
      security_opt: ["no-new-privileges:true", "seccomp:./profile.json"],
    }),
    own,
  )
  expect(options).toMatchObject({
    command: ["sleep", "1"],
    entrypoint: [],
    env: ["A=1", "GONE", "EMPTY="],
    user: "1000",
    workdir: "/w",
    stopSignal: "SIGINT",
    stopTimeoutSeconds: 90,
    tty: true,
    stdin: true,
    init: true,
    readOnly: true,
    extraHosts: ["a:10.0.0.1"],
    annotations: { note: "x" },
    health: { test: ["CMD", "true"], intervalMs: 5000, retries: 2 },
    log: { driver: "none", options: { tag: "x" } },
    namespaces: { pid: { kind: "host" } },
    userNamespace: { kind: "keep-id" },
    securityOptions: ["no-new-privileges:true", "seccomp=/srv/p/profile.json"],
    pull: "never",
  })
})

test.each([
  [{ use_api_socket: true }, "services.web.use_api_socket: "],
  [{ isolation: "hyperv" }, "services.web.isolation: "],
  [{ credential_spec: { file: "x" } }, "services.web.credential_spec: "],
  [{ healthcheck: { start_interval: "1s" } }, "services.web.healthcheck: start_interval requires start_period"],
  [{ stop_signal: "SIGNOPE" }, "services.web.stop_signal: "],
  [{ stop_grace_period: "soon" }, "services.web.stop_grace_period: "],
])("%j is refused with its key", (service, message) => {
  expect(() => serviceOptions(contextOf({ image: "x", ...service }), own)).toThrow(message)
})

test("namespaces and volumes of another service are its first container's", () => {
  const service = {
    network_mode: "service:db",
    ipc: "service:db",
    pid: "host",
    volumes_from: ["db:ro", "container:other"],
  }
  const containers = { db: [{ id: "f00", name: "p-db-1", number: 1 }] }
  expect(withReferences(contextOf(service, {}, containers))).toEqual({
    network_mode: "container:f00",
    ipc: "container:f00",
    pid: "host",
    volumes_from: ["f00:ro", "other"],
  })
  expect(referredServices(service)).toEqual(["db", "db", "db"])
  expect(() => withReferences(contextOf(service))).toThrow(
    "cannot share network namespace with service db: container missing",
  )
})
