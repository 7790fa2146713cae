/** Kubernetes' YAML of containers, pods and volumes. One user is enough. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, expect, test } from "bun:test"
import { YAML } from "bun"
import { noLimits, openStore } from "../support/store.ts"

const skiff = openStore()
/** Where the user of this run has some. */
const limited = noLimits === false
const limitFlags = limited ? ["-m", "64m", "--cpus", "0.5"] : []

afterEach(async () => {
  await skiff.ok("pod", "rm", "-f", "--all")
  await skiff.ok("rm", "-f", "-v", "--all")
})

interface Kube {
  apiVersion: string
  kind: string
  metadata: { name: string; labels: Record<string, string> }
  spec: Record<string, unknown> & { containers: Record<string, unknown>[] }
}

/** The documents of the YAML that is printed. */
async function generate(...args: string[]): Promise<Kube[]> {
  return (await skiff.ok("kube", "generate", ...args)).split("\n---\n").map((text) => YAML.parse(text) as Kube)
}

test("a container is a pod of one container, without what its image says", async () => {
  const flags = ["--name", "a_web", "-e", "KEY=a: b", ...limitFlags, "--cap-drop", "NET_RAW", "--read-only"]
  const more = [
    "-v",
    "web-data:/data",
    "-v",
    "/etc/hosts:/h:ro",
    "--tmpfs",
    "/scratch",
    "-w",
    "/data",
    "-u",
    "1000:1000",
  ]
  await skiff.ok("create", ...flags, ...more, "--restart", "always", "-p", "8080:80", "busybox", "httpd", "-f")
  const text = await skiff.ok("generate", "kube", "a_web")
  expect(text).toContain("\napiVersion: v1\nkind: Pod\nmetadata:\n")
  const [pod] = await generate("a_web")
  expect(pod?.metadata).toMatchObject({ name: "aweb-pod", labels: { app: "aweb-pod" } })
  expect(pod?.spec).toEqual({
    containers: [
      {
        command: ["httpd", "-f"],
        env: [{ name: "KEY", value: "a: b" }],
        image: expect.stringContaining("busybox"),
        name: "aweb",
        ports: [{ containerPort: 80, hostPort: 8080 }],
        ...(limited && { resources: { limits: { cpu: "500m", memory: "67108864" } } }),
        securityContext: {
          capabilities: { drop: ["NET_RAW"] },
          readOnlyRootFilesystem: true,
          runAsGroup: 1000,
          runAsUser: 1000,
        },
        volumeMounts: [
          { mountPath: "/data", name: "web-data-pvc" },
          { mountPath: "/h", name: "etc-hosts-host-1", readOnly: true },
          { mountPath: "/scratch", name: "scratch-tmpfs" },
        ],
        workingDir: "/data",
      },
    ],
    restartPolicy: "Always",
    volumes: [
      { name: "web-data-pvc", persistentVolumeClaim: { claimName: "web-data" } },
      { hostPath: { path: "/etc/hosts", type: "File" }, name: "etc-hosts-host-1" },
      { emptyDir: { medium: "Memory" }, name: "scratch-tmpfs" },
    ],
  })
  await skiff.ok("rm", "a_web")
  await skiff.ok("volume", "rm", "web-data")
})

test("a pod is one with all its containers, its ports at the first, and secrets by name alone", async () => {
  await skiff.run(["secret", "create", "token", "-"], { stdin: "correct-horse-battery" })
  await skiff.ok(
    "pod",
    "create",
    "--name",
    "shop",
    "-p",
    "8080:80/udp",
    "--share",
    "net,pid",
    "--label",
    "team=web",
    "--dns",
    "192.0.2.1",
  )
  const create = (name: string, ...words: string[]) => skiff.ok("create", "--pod", "shop", "--name", name, ...words)
  await create("first", "--secret", "token", "--secret", "token,type=env,target=T", "busybox")
  await create("second", "busybox", "sleep", "10")
  await create("prepares", "--init-ctr", "once", "busybox", "true")
  const text = await skiff.ok("kube", "generate", "-s", "shop")
  expect(text).not.toContain("correct-horse")
  const [service, pod] = await generate("-s", "shop")
  expect(service).toMatchObject({
    kind: "Service",
    metadata: { name: "shop", labels: { app: "shop", team: "web" } },
    spec: { ports: [{ port: 80, protocol: "UDP", targetPort: 80 }], selector: { app: "shop" }, type: "NodePort" },
  })
  expect(pod?.spec).toMatchObject({
    dnsConfig: { nameservers: ["192.0.2.1"] },
    initContainers: [{ name: "prepares", command: ["true"] }],
    restartPolicy: "Never",
    shareProcessNamespace: true,
  })
  expect(pod?.spec.containers).toMatchObject([
    {
      name: "first",
      ports: [{ containerPort: 80, hostPort: 8080, protocol: "UDP" }],
      env: [{ name: "T", valueFrom: { secretKeyRef: { key: "token", name: "token" } } }],
      volumeMounts: [{ mountPath: "/run/secrets/token", subPath: "token" }],
    },
    { name: "second", command: ["sleep", "10"] },
  ])
  const refused = await skiff.run(["kube", "generate", "second"])
  expect(refused.code).toBe(125)
  expect(refused.stderr).toContain('container "second" is associated with pod "shop"')
  await skiff.ok("secret", "rm", "token")
})

test("volumes are claims; several containers are one pod; what is not there is said", async () => {
  await skiff.ok("volume", "create", "disk")
  for (const name of ["c1", "c2"]) await skiff.ok("create", "--name", name, "busybox")
  const objects = await generate("c1", "disk", "c2")
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    "PersistentVolumeClaim disk",
    "Pod c1-pod",
  ])
  expect(objects[1]?.spec.containers.map(({ name }) => name)).toEqual(["c1", "c2"])
  const { code, stderr } = await skiff.run(["kube", "generate", "nosuch"])
  expect(code).toBe(125)
  expect(stderr).toContain('name or ID "nosuch" not found')
  await skiff.ok("volume", "rm", "disk")
})

test("generate spec is podman's request for a container or a pod, under a new name", async () => {
  await skiff.ok("pod", "create", "--name", "spec-pod", "--share", "net", "-p", "8080:80", ...limitFlags)
  await skiff.ok("create", "--name", "spec-ctr", "--cap-add", "SYS_TIME", "-e", "A=b=c", "busybox", "sleep", "10")
  const spec = async (...args: string[]) => JSON.parse(await skiff.ok("generate", "spec", ...args)) as object
  expect(await spec("spec-ctr")).toMatchObject({
    name: "spec-ctr-clone",
    command: ["sleep", "10"],
    env: { A: "b=c" },
    cap_add: ["SYS_TIME"],
    raw_image_name: "busybox",
    netns: { nsmode: "bridge" },
  })
  expect(await spec("--name=false", "--compact", "spec-pod")).toMatchObject({
    name: "spec-pod",
    shared_namespaces: ["net"],
    portmappings: [{ container_port: 80, host_port: 8080, protocol: "tcp", range: 1, host_ip: "" }],
    ...(limited && { resource_limits: { memory: { limit: 64 << 20 } } }),
  })
  const { code, stderr } = await skiff.run(["generate", "spec", "nosuch"])
  expect(code).toBe(125)
  expect(stderr).toContain("could not find a pod or container")
})

test("a deployment makes such pods; a file is written once", async () => {
  await skiff.ok("create", "--name", "scaled", "busybox", "sleep", "1000")
  const file = join(skiff.home, "out.yaml")
  await skiff.ok("kube", "generate", "-t", "deployment", "-r", "3", "-f", file, "scaled")
  expect(YAML.parse(readFileSync(file, "utf8"))).toMatchObject({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "scaled-pod-deployment" },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "scaled-pod" } },
      template: { metadata: { labels: { app: "scaled-pod" } }, spec: { restartPolicy: "Always" } },
    },
  })
  const again = await skiff.run(["kube", "generate", "-f", file, "scaled"])
  expect(again.code).toBe(125)
  expect(again.stderr).toContain("file exists")
  expect((await skiff.run(["kube", "generate", "-r", "3", "scaled"])).code).toBe(125)
})

test("what Kubernetes cannot say are annotations; those of podman alone where they are asked for", async () => {
  await skiff.ok("pod", "create", "--name", "own", "--infra-name", "ground")
  const flags = [
    "--init",
    "--rm",
    "--security-opt",
    "seccomp=unconfined",
    "--ulimit",
    "nofile=5:6",
    "--cpuset-cpus",
    "0",
  ]
  await skiff.ok("create", "--pod", "own", "--name", "own-a", ...(limited ? flags : flags.slice(0, -2)), "busybox")
  const annotations = {
    "io.podman.annotations.infra.name": "ground",
    "io.podman.annotations.ulimit": "nofile=5:6",
    ...(limited && { "io.podman.annotations.cpuset/a": "0" }),
  }
  const [plain] = await generate("own")
  expect(plain?.metadata).toMatchObject({ annotations })
  // a container that was played has its pod's name before its own
  expect(plain?.spec.containers[0]?.["name"]).toBe("a")
  const [own] = await generate("--podman-only", "own")
  expect(own?.metadata["annotations" as "labels"]).toEqual({
    ...annotations,
    "io.podman.annotations.init/a": "TRUE",
    "io.podman.annotations.autoremove/a": "TRUE",
    "io.podman.annotations.seccomp/a": "unconfined",
  })
})

test("security of containers and pods, and no pod without a container", async () => {
  await skiff.ok("pod", "create", "--name", "bare")
  expect((await skiff.run(["kube", "generate", "bare"])).stderr).toContain("only has an infra container")
  const options = ["unmask=all", "label=level:s0:c1,c2", "label=filetype:usr_t"].flatMap((one) => [
    "--security-opt",
    one,
  ])
  await skiff.ok("create", "--name", "safe", ...options, "--group-add", "77", "busybox", "top")
  const [pod] = await generate("safe")
  expect(pod?.spec).toMatchObject({
    securityContext: { supplementalGroups: [77] },
    containers: [
      {
        command: ["top"],
        securityContext: { procMount: "Unmasked", seLinuxOptions: { level: "s0:c1,c2", filetype: "usr_t" } },
      },
    ],
  })
  expect(pod?.spec.containers[0]).not.toHaveProperty("resources")
})
