import { describe, expect, test } from "bun:test"
import type { ConfigMap, Pod, Secret } from "kubernetes-types/core/v1"
import type { ImageRunConfig } from "../../spec/oci-image.ts"
import { checkObject } from "../read/check-object.ts"
import { readDocuments, type Json } from "../read/read-documents.ts"
import type { NodeFacts, NodeInput, NodePod } from "./node-pod.ts"
import { translatePod } from "./translate-pod.ts"

const facts: NodeFacts = {
  uid: "u-1",
  namespace: "default",
  nodeName: "node-a",
  hostIps: ["192.0.2.1"],
  cpus: 4,
  memoryBytes: 8 * 2 ** 30,
}
const configMaps: Record<string, ConfigMap> = {
  settings: { data: { COLOUR: "red", "app.conf": "x=1" }, binaryData: { blob: "AAE=" } },
  twice: { data: { a: "1" }, binaryData: { a: "AA==" } },
}
const secrets: Record<string, Secret> = { login: { data: { user: "cm9vdA==" }, stringData: { pass: "s3cret" } } }
const images: Record<string, ImageRunConfig> = {
  plain: { Env: ["PATH=/bin"] },
  named: { User: "www-data" },
  numbered: { User: "1001:1001" },
  data: { Volumes: { "/etc/data": {} } },
}

/** A pod of one container `c` whose fields are `container`, in YAML. */
function pod(spec: string, metadata = "name: p"): Pod {
  const text = `apiVersion: v1\nkind: Pod\nmetadata:\n${indent(metadata)}\nspec:\n${indent(spec)}\n`
  const [document] = readDocuments(Buffer.from(text), "pod.yaml")
  return checkObject(document?.value as Json, "Pod").value as Pod
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ")
}

function translate(object: Pod, more: Partial<NodeInput> = {}): NodePod {
  return translatePod({
    pod: object,
    sources: {
      configMap: (name) => configMaps[name],
      secret: (name) => secrets[name],
      claim: (name) => ({ volume: name, copyUp: true }),
      image: (name) => images[name],
    },
    facts,
    volumeName: (name) => `p-${name}`,
    ...more,
  })
}

/** The options of the only container. */
function container(fields: string, { spec = "", metadata = "name: p" } = {}) {
  const made = translate(pod(`${spec}\ncontainers:\n- name: c\n  image: plain\n${indent(fields)}`, metadata))
  const [one] = made.containers
  if (one === undefined) throw new Error("no container")
  return { ...made, ...one, env: one.options.env }
}

const failure = (fields: string, how = {}): string => {
  try {
    container(fields, how)
  } catch (error) {
    return (error as Error).message
  }
  return "nothing was refused"
}

const profile = (file: string) => `securityContext: {seccompProfile: {type: Localhost, localhostProfile: "${file}"}}`
const nonRootOf = (image: string) => () =>
  translate(pod(`containers: [{name: c, image: ${image}, securityContext: {runAsNonRoot: true}}]`))
const twins = () => translate(pod("containers: [{name: a, image: x}, {name: a, image: x}]"))

const userNamespace = (spec: string, more: Partial<NodeInput> = {}, metadata = "name: p") =>
  translate(pod(`${spec}\ncontainers: [{name: c, image: x}]`, metadata), more).containers[0]?.options.userNamespace

describe("a program", () => {
  test("command is the entrypoint and takes the image's words away; args are the words", () => {
    expect(container('command: ["a", "b"]').options).toMatchObject({ entrypoint: ["a", "b"], command: [] })
    expect(container('args: ["c"]').options).toMatchObject({ command: ["c"] })
    expect(container('args: ["c"]').options).not.toHaveProperty("entrypoint")
    expect(container("workingDir: /w").options).toMatchObject({ workdir: "/w" })
  })

  test("$(NAME) is a variable of the container or its image, $$ a dollar, an unknown one stays", () => {
    const { options } = container(
      'env: [{name: A, value: one}, {name: B, value: "$(A)-$$(A)-$(C)"}]\nargs: ["$(B)", "$(PATH)", "$(nope)", "$$(A)", "$x"]',
    )
    expect(options.env).toEqual(["A=one", "B=one-$(A)-$(C)"])
    expect(options.command).toEqual(["one-$(A)-$(C)", "/bin", "$(nope)", "$(A)", "$x"])
  })

  test("a name is of the pod and the container; init containers come first, and a sidecar stays", () => {
    const { containers } = translate(
      pod(
        "initContainers: [{name: i, image: x}, {name: s, image: x, restartPolicy: Always}]\ncontainers: [{name: m, image: x}]",
      ),
    )
    expect(containers.map(({ options }) => [options.name, options.initContainer, options.restart?.name])).toEqual([
      ["p-i", "once", "no"],
      ["p-s", "sidecar", "always"],
      ["p-m", undefined, "always"],
    ])
  })
})

describe("variables", () => {
  test("come from keys, whole objects with a prefix, fields and resources; env goes over envFrom", () => {
    const { env, warnings } = container(
      `envFrom:
- configMapRef: {name: settings}
- {prefix: L_, secretRef: {name: login}}
- secretRef: {name: none, optional: true}
env:
- {name: COLOUR, value: blue}
- {name: K, valueFrom: {configMapKeyRef: {name: settings, key: app.conf}}}
- {name: S, valueFrom: {secretKeyRef: {name: login, key: pass}}}
- {name: O, valueFrom: {secretKeyRef: {name: login, key: no, optional: true}}}
- {name: N, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: L, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
- {name: H, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
- {name: M, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
- {name: C, valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: 1m}}}
- {name: D, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
resources: {limits: {memory: 64.5Mi}, requests: {cpu: 250m}}`,
      { metadata: "name: p\nlabels: {app: web}" },
    )
    expect(Object.fromEntries(env?.map((one) => one.split(/=(.*)/s).slice(0, 2)) ?? [])).toEqual({
      COLOUR: "blue",
      "app.conf": "x=1",
      L_user: "root",
      L_pass: "s3cret",
      K: "x=1",
      S: "s3cret",
      N: "p",
      L: "web",
      H: "192.0.2.1",
      M: "65",
      C: "250",
      D: "4",
    })
    expect(warnings).toEqual([
      {
        path: "spec.containers[0].envFrom[0]",
        text: '"blob" of configmap settings cannot be a variable, and is left out',
      },
    ])
  })

  test.each([
    ["env: [{name: A, valueFrom: {configMapKeyRef: {name: none, key: k}}}]", "configmap none not found"],
    [
      "env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: k}}}]",
      "key k not found in configmap settings",
    ],
    ["envFrom: [{secretRef: {name: none}}]", "secret none not found"],
    ["env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]", "status.podIP is either not valid"],
    ["env: [{name: A=B, value: x}]", "is no name of a variable"],
    [
      "env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 3}}}]",
      "divisor value 3 is not valid",
    ],
    ["envFrom: [{configMapRef: {name: twice}}]", 'duplicate key "a" present in data and binaryData'],
  ])("%s is refused with its path", (fields, expected) => {
    expect(failure(fields)).toContain(expected)
    expect(failure(fields)).toStartWith("spec.containers[0].env")
  })
})

describe("ports", () => {
  const ports = "ports: [{containerPort: 80, hostPort: 8080, hostIP: 127.0.0.1}, {containerPort: 53, protocol: UDP}]"

  test("those of the host are published, all of them where that is asked for", () => {
    const published = { protocol: "tcp", containerPort: 80, hostPort: 8080, hostAddress: "127.0.0.1" } as const
    expect(container(ports).pod.ports).toEqual([published])
    const all = translate(pod(`containers: [{name: c, image: x, ${ports}}]`), { publishAll: true })
    expect(all.pod.ports).toEqual([published, { protocol: "udp", containerPort: 53, hostPort: 53 }])
    const annotated = { metadata: 'name: p\nannotations: {io.podman.annotations.publish-all/c: "true"}' }
    expect(container(ports, annotated).pod.ports).toHaveLength(2)
  })

  test("a port of the host alone is the container's, too; the host's network publishes none", () => {
    expect(container("ports: [{hostPort: 99}]").pod.ports).toEqual([
      { protocol: "tcp", containerPort: 99, hostPort: 99 },
    ])
    const { pod: options } = container(ports, { spec: "hostNetwork: true" })
    expect(options).toMatchObject({ network: { kind: "host" }, namespaces: { uts: { kind: "host" } } })
    expect(options).not.toHaveProperty("ports")
  })

  test.each(["ports: [{containerPort: 0}]", "ports: [{containerPort: 70000}]", "ports: [{hostPort: 1, hostIP: x}]"])(
    "%s is refused",
    (fields) => expect(failure(fields)).toStartWith("spec.containers[0].ports[0]."),
  )
})

describe("resources", () => {
  test("limits and requests are the kernel's numbers", () => {
    const { options, warnings } = container(
      `resources:
  limits: {cpu: 1500m, memory: 128Mi, hugepages-2Mi: 4Mi, example.com/gpu: 1}
  requests: {cpu: "0.5", memory: 1e6}`,
    )
    expect(options.resources).toEqual({
      cpuPeriodUs: 100_000,
      cpuQuotaUs: 150_000,
      memoryBytes: 128 * 2 ** 20,
      memoryReservationBytes: 1_000_000,
      cpuShares: 512,
      requestsWherePossible: true,
      hugepages: [{ pageSize: "2MB", limitBytes: 4 * 2 ** 20 }],
    })
    expect(warnings.map(({ path }) => path)).toEqual(["spec.containers[0].resources.limits.example.com/gpu"])
  })

  test("annotations limit what Kubernetes cannot", () => {
    const annotations = `name: p
annotations:
  io.podman.annotations.pids-limit/c: "50"
  io.podman.annotations.cpuset/c: 0-1
  io.podman.annotations.memory-nodes/c: "0"
  io.podman.annotations.ulimit: nofile=1:2,nproc=3`
    expect(container("{}".replace("{}", "tty: true"), { metadata: annotations }).options).toMatchObject({
      resources: { pidsLimit: 50, cpusetCpus: "0-1", cpusetMems: "0" },
      ulimits: [
        { name: "nofile", soft: 1, hard: 2 },
        { name: "nproc", soft: 3, hard: 3 },
      ],
      tty: true,
    })
  })

  test.each(["memory: 1Xi", "memory: -5", "cpu: x", "memory: 99999E", "memory: 1Zi"])("%s is refused", (limit) =>
    expect(failure(`resources: {limits: {${limit}}}`)).toStartWith("spec.containers[0].resources.limits."),
  )

  test("a request above its limit is refused", () =>
    expect(failure("resources: {limits: {cpu: 1}, requests: {cpu: 2}}")).toContain("must be less than or equal"))
})

describe("security", () => {
  test("a container's words go before the pod's", () => {
    const spec =
      "securityContext: {runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4, 3], sysctls: [{name: a.b, value: 1}], seccompProfile: {type: Unconfined}}"
    const { options, pod: made } = container(
      `securityContext:
  runAsUser: 9
  privileged: true
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  procMount: Unmasked
  capabilities: {add: [NET_ADMIN], drop: [ALL]}
  seLinuxOptions: {level: "s0:c1,c2", type: t}
  appArmorProfile: {type: Localhost, localhostProfile: mine}`,
      { spec },
    )
    expect(options).toMatchObject({
      user: "9:2",
      groupAdd: ["4", "3"],
      capAdd: ["NET_ADMIN"],
      capDrop: ["ALL"],
      privileged: true,
      readOnly: true,
      securityOptions: [
        "no-new-privileges",
        "unmask=all",
        "seccomp=unconfined",
        "apparmor=mine",
        "label=type:t",
        "label=level:s0:c1,c2",
      ],
    })
    expect(made.sysctls).toEqual({ "a.b": "1" })
  })

  test("a seccomp profile is a file below its directory", () => {
    expect(container(profile("a/b.json")).options.securityOptions).toEqual([
      "seccomp=/var/lib/kubelet/seccomp/a/b.json",
    ])
    for (const file of ["../x", "/etc/x", ""]) expect(failure(profile(file))).toContain("is no path below")
    const annotated = { metadata: "name: p\nannotations: {seccomp.security.alpha.kubernetes.io/pod: localhost/f}" }
    expect(container("tty: false", annotated).options.securityOptions).toEqual(["seccomp=/var/lib/kubelet/seccomp/f"])
  })

  test("runAsNonRoot refuses root, and who may be root", () => {
    expect(failure("securityContext: {runAsNonRoot: true}")).toContain("image will run as root")
    expect(failure("securityContext: {runAsNonRoot: true, runAsUser: 0}")).toContain("breaks non-root policy")
    expect(nonRootOf("named")).toThrow("non-numeric user (www-data)")
    expect(nonRootOf("numbered")).not.toThrow()
  })

  test("windows is refused", () => {
    expect(failure("securityContext: {windowsOptions: {hostProcess: true}}")).toContain("this node runs Linux")
    expect(failure("tty: true", { spec: "os: {name: windows}" })).toContain("spec.os.name")
  })
})

describe("probes", () => {
  test("liveness and startup are health checks, as podman's", () => {
    const { options, probes } = container(
      `ports: [{name: web, containerPort: 8080}]
livenessProbe: {httpGet: {path: /live, port: web}, periodSeconds: 5, initialDelaySeconds: 7, failureThreshold: 2}
readinessProbe: {grpc: {port: 9}, successThreshold: 2}
startupProbe: {tcpSocket: {port: 8080}, timeoutSeconds: 3}`,
    )
    expect(options.health).toEqual({
      test: ["CMD-SHELL", "curl -f http://localhost:8080/live || exit 1"],
      request: { kind: "http", scheme: "http", port: 8080, path: "/live", headers: [] },
      intervalMs: 5000,
      timeoutMs: 1000,
      startPeriodMs: 7000,
      retries: 2,
      onFailure: "restart",
      startup: {
        test: ["CMD-SHELL", "nc -z -v localhost 8080 || exit 1"],
        request: { kind: "tcp", port: 8080 },
        intervalMs: 10_000,
        timeoutMs: 3000,
        retries: 3,
        successes: 1,
      },
      readiness: {
        test: ["CMD-SHELL", "grpc_health_probe -addr=localhost:9 || exit 1"],
        request: { kind: "grpc", port: 9, service: "" },
        timeoutMs: 1000,
        retries: 3,
      },
    })
    expect(probes.readiness).toMatchObject({ handler: { kind: "grpc", port: 9, service: "" }, successThreshold: 2 })
  })

  test("a host that a probe names is asked from inside alone, and readiness by itself restarts nothing", () => {
    const { options } = container("readinessProbe: {httpGet: {host: 10.0.0.1, port: 80}}")
    expect(options.health?.test).toEqual(["CMD-SHELL", "curl -f http://10.0.0.1:80/ || exit 1"])
    expect(options.health).not.toHaveProperty("request")
    expect(options.health).not.toHaveProperty("onFailure")
  })

  test("what stands in a request is one word of the shell", () => {
    const { options } = container('livenessProbe: {httpGet: {path: "/a\'; rm -rf /", port: 80}}', {
      spec: "restartPolicy: Never",
    })
    expect(options.health?.test).toEqual(["CMD-SHELL", `curl -f 'http://localhost:80/a'\\''; rm -rf /' || exit 1`])
    expect(options.health).not.toHaveProperty("onFailure")
  })

  test("hooks are data, and a stop signal is honoured", () => {
    const { hooks, options } = container(
      "lifecycle: {preStop: {sleep: {seconds: 3}}, postStart: {exec: {command: [a]}}, stopSignal: SIGUSR1}",
    )
    expect(hooks).toEqual({ preStop: { kind: "sleep", seconds: 3 }, postStart: { kind: "exec", command: ["a"] } })
    expect(options.stopSignal).toBe("SIGUSR1")
  })

  test("an init container has none, and a port must be there", () => {
    expect(failure("livenessProbe: {httpGet: {port: web}}")).toContain("unknown port: web")
    const init = "initContainers: [{name: i, image: x, lifecycle: {preStop: {sleep: {seconds: 1}}}}]"
    expect(failure("tty: true", { spec: init })).toContain("cannot create an init container that has either of")
  })
})

test.each([
  ["docker.io/library/nginx", "newer"],
  ["quay.io/a/b:latest", "newer"],
  ["quay.io/a/b:1", "missing"],
  [`quay.io/a/b@sha256:${"0".repeat(64)}`, "missing"],
  ["nginx", "missing"],
  ["localhost/x:latest", "missing"],
])("the image %s without a policy: %s", (image, expected) => {
  const [one] = translate(pod(`containers: [{name: c, image: "${image}"}]`)).containers
  expect(one?.pull).toBe(expected as "newer")
})

describe("the pod", () => {
  test("namespaces, names and resolvers are the pod's", () => {
    const { pod: made } = container("tty: true", {
      spec: `hostPID: true
hostIPC: true
hostname: h
subdomain: sub
setHostnameAsFQDN: true
dnsPolicy: None
dnsConfig: {nameservers: [192.0.2.53], searches: [a.example], options: [{name: ndots, value: 2}, {name: edns0}]}
hostAliases: [{ip: 192.0.2.9, hostnames: [x, y]}]
restartPolicy: OnFailure
terminationGracePeriodSeconds: 3`,
    })
    expect(made).toMatchObject({
      name: "p",
      hostname: "h.sub.default.svc.cluster.local",
      shares: ["network", "ipc", "uts"],
      namespaces: { pid: { kind: "host" }, ipc: { kind: "host" } },
      dns: ["192.0.2.53"],
      dnsSearch: ["a.example"],
      dnsOptions: ["ndots:2", "edns0"],
      extraHosts: ["x:192.0.2.9", "y:192.0.2.9"],
      restart: { name: "on-failure" },
      exitPolicy: "stop",
    })
    expect(container("tty: true", { spec: "shareProcessNamespace: true" }).pod.shares).toContain("pid")
    expect(container("tty: true", { spec: "terminationGracePeriodSeconds: 3" }).options.stopTimeoutSeconds).toBe(3)
  })

  test("annotations name the sandbox and the labels of updates, and reach the runtime", () => {
    const { pod: made, options } = container("tty: true", {
      metadata: `name: p
labels: {app: w}
annotations:
  io.podman.annotations.infra.name: ground
  io.containers.autoupdate: registry
  io.containers.autoupdate/c: local
  io.podman.annotations.init/c: "TRUE"
  io.podman.annotations.volumes-from/c: other:ro
  io.podman.annotations.label/c: disable
  run.oci.keep_original_groups: "1"`,
    })
    expect(made).toMatchObject({ sandboxName: "ground", labels: { app: "w" } })
    expect(options).toMatchObject({
      labels: { app: "w", "io.containers.autoupdate": "local" },
      init: true,
      volumesFrom: [{ container: "other", readOnly: true }],
      securityOptions: ["label=disable"],
      process: { keepGroups: true },
    })
    expect(options.annotations?.["io.podman.annotations.infra.name"]).toBe("ground")
  })

  test("user namespaces are the call's, else what the pod says", () => {
    expect(userNamespace("hostUsers: false")).toMatchObject({ kind: "auto" })
    expect(userNamespace("hostUsers: true")).toBeUndefined()
    const annotated = "name: p\nannotations: {io.podman.annotations.userns: keep-id}"
    expect(userNamespace("hostPID: false", {}, annotated)).toMatchObject({ kind: "keep-id" })
    expect(userNamespace("hostUsers: false", { userNamespace: { kind: "host" } })).toEqual({ kind: "host" })
  })

  test("what is not honoured is told with its path; what only places pods is not", () => {
    const { warnings } = container("volumeDevices: [{name: x, devicePath: /dev/x}]", {
      spec: "imagePullSecrets: [{name: a}]\nserviceAccountName: robot\nnodeSelector: {a: b}\ntolerations: []",
    })
    expect(warnings.map(({ path }) => path)).toEqual(["spec.serviceAccountName", "spec.containers[0].volumeDevices"])
  })

  test.each<[string, string, string]>([
    ["name: a/b", "tty: true", "metadata.name"],
    ["{}", "tty: true", "metadata.name"],
    ["name: p", "name: ../x", "mapping key"],
    ["name: p", "image2: x", "nothing was refused"],
  ])("metadata %s with %s: %s", (metadata, fields, expected) =>
    expect(failure(fields, { metadata })).toContain(expected),
  )

  test("two containers of one name are refused, and a policy that there is not", () => {
    expect(twins).toThrow('the pod "p" is invalid; duplicate container name "a" detected')
    expect(failure("tty: true", { spec: "restartPolicy: Sometimes" })).toStartWith("spec.restartPolicy")
    expect(failure("tty: true", { spec: "dnsPolicy: None" })).toStartWith("spec.dnsConfig.nameservers")
    expect(() => translate(pod("containers: []"))).toThrow("names no container")
    expect(failure("imagePullPolicy: Sometimes")).toStartWith("spec.containers[0].imagePullPolicy")
  })
})

describe("in a cluster", () => {
  const HIDDEN = [
    "io.podman.annotations.volumes-from/c: victim",
    "io.podman.annotations.seccomp/c: unconfined",
    "io.podman.annotations.apparmor/c: unconfined",
    "io.podman.annotations.label/c: disable",
    "io.podman.annotations.userns: host",
    "io.podman.annotations.infra.name: victim",
    "io.podman.annotations.ulimit: nofile=1:2",
    "io.podman.annotations.pids-limit/c: '-1'",
    "io.podman.annotations.init/c: 'true'",
    "io.podman.annotations.publish-all/c: 'true'",
    "io.podman.annotations.kube.image.volumes.mount/c: data",
    "io.containers.sdnotify: conmon",
    "io.containers.autoupdate: registry",
    "run.oci.keep_original_groups: '1'",
    "run.oci.seccomp_bpf_data: AA==",
    "run.oci.seccomp.receiver: /run/docker.sock",
    "org.criu.config: /etc/shadow",
    "seccomp.security.alpha.kubernetes.io/pod: unconfined",
  ]
  const fields = "containers: [{name: c, image: plain, ports: [{containerPort: 80}]}]"

  test.each(HIDDEN)("the annotation %s changes nothing of a pod", (line) => {
    const plain = translate(pod(fields), { withoutEngineAnnotations: true })
    const hidden = translate(pod(fields, `name: p\nannotations: {${line}}`), { withoutEngineAnnotations: true })
    expect(hidden).toEqual(plain)
  })

  test("what is asked of AppArmor by an annotation, and told of annotations, stays", () => {
    const { containers } = translate(
      pod(
        "containers: [{name: c, image: plain, env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['a']\"}}}]}]",
        "name: p\nannotations: {container.apparmor.security.beta.kubernetes.io/c: localhost/mine, a: b}",
      ),
      { withoutEngineAnnotations: true },
    )
    expect(containers[0]?.options.securityOptions).toEqual(["apparmor=mine"])
    expect(containers[0]?.options.env).toContain("A=b")
  })
})

test.each([
  ["Strict", "never"],
  ["Merge", undefined],
] as const)("the policy %s of supplemental groups says whether the image's are had: %s", (policy, groups) => {
  const spec = `securityContext: {supplementalGroupsPolicy: ${policy}}\ncontainers: [{name: c, image: plain}]`
  expect(translate(pod(spec)).containers[0]?.options.imageGroups).toBe(groups)
})
