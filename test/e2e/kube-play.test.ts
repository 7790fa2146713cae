/** `kube play` and `kube down`: Kubernetes' YAML becomes pods, volumes and secrets. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { afterEach, describe, expect, test } from "bun:test"
import { serveGrpcHealth } from "../support/grpc-health.ts"
import { NotifySocket } from "../support/notify-socket.ts"
import { pageAt } from "../support/page-server.ts"
import { BUSYBOX } from "../support/image.ts"
import { ACCOUNT, Registry } from "../support/registry.ts"
import type { Outcome, RunOptions } from "../support/skiff.ts"
import { asRootOnly, noLimits, openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually, freePort } from "../support/wait.ts"

const skiff = openStore()

afterEach(async () => {
  await skiff.ok("pod", "rm", "-f", "--all")
  await skiff.ok("volume", "prune", "-f", "--all")
})

/** Plays a text. */
const play = (yaml: string, flags: readonly string[] = [], options: RunOptions = {}): Promise<Outcome> =>
  skiff.run(["kube", "play", ...flags, "-"], { stdin: yaml, ...options })

async function played(yaml: string, ...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await play(yaml, flags)
  if (code !== 0) throw new Error(`gave ${code}: ${stderr}${stdout}`)
  return stdout
}

const say = (container: string) =>
  eventually(async () => {
    await skiff.ok("wait", container)
    return skiff.ok("logs", container)
  })
const inside = (container: string, script: string) => skiff.ok("exec", container, "sh", "-c", script)

/** One pod of one container `c`, each more line of which stands below it. */
const pod = (container: string, { name = "p", spec = "", metadata = "" } = {}) => `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
${metadata}
spec:
  terminationGracePeriodSeconds: 0
${spec}
  containers:
  - name: c
    image: busybox
${container.replaceAll(/^/gm, "    ")}
`
const run = (script: string) => `command: ["sh", "-c"]\nargs: [${JSON.stringify(script)}]`
const once = "  restartPolicy: Never"

const mount = (more = "") => `volumeMounts: [{name: h, mountPath: /h${more}}]`
const template = (name: string, kind: string, more = "") => `
---
apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}, annotations: {of: it}}
spec:
  ${more}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {restartPolicy: Never, containers: [{name: c, image: busybox, imag: x, command: [sh, -c, exit 0]}]}`

describe("a pod", () => {
  test("is made and started, told in podman's words, and taken down again, twice", async () => {
    const yaml = pod("command: [sleep, '1000']")
    const output = await played(yaml)
    expect(output).toMatch(/^Pod:\n[0-9a-f]{64}\nContainer:\n[0-9a-f]{64}\n\n$/)
    const [, id = "", , container = ""] = output.split("\n")
    expect(await skiff.ok("pod", "inspect", "-f", "{{.State}} {{.Name}}", id)).toBe("Running p")
    expect(await skiff.ok("ps", "--no-trunc", "--format", "{{.ID}} {{.Names}}")).toBe(`${container} p-c`)
    const again = await play(yaml)
    expect(again).toMatchObject({ code: 125, stdout: "" })
    expect(again.stderr).toContain('name "p" is in use: pod already exists')
    const down = ["kube", "down", "-"]
    expect((await skiff.run(down, { stdin: yaml })).stdout).toBe(
      `Pods stopped:\n${id}\nPods removed:\n${id}\nSecrets removed:\nVolumes removed:\n`,
    )
    expect(await skiff.run(down, { stdin: yaml })).toMatchObject({
      code: 0,
      stdout: "Pods stopped:\nPods removed:\nSecrets removed:\nVolumes removed:\n",
    })
    expect(await skiff.ok("ps", "-aq")).toBe("")
  })

  test("is replaced, only made, or called without its name", async () => {
    const yaml = pod("command: [sleep, '1000']")
    await played(yaml, "--start=false", "--no-pod-prefix")
    expect(await skiff.ok("ps", "-a", "--format", "{{.Names}} {{.State}}")).toBe("c created")
    const output = await played(yaml, "--replace")
    expect(output).toStartWith("Pods stopped:\n")
    expect(output).toContain("Volumes removed:\nPod:\n")
    expect(await skiff.ok("ps", "-a", "--format", "{{.Names}} {{.State}}")).toBe("p-c running")
    const { stdout, code } = await play(yaml, ["--down"])
    expect({ stdout: stdout.startsWith("Pods stopped:\n"), code }).toEqual({ stdout: true, code: 0 })
  })

  test("has the variables, the program and the rights that it says", async () => {
    const script =
      "echo $A $B $POD; id -u; id -G; grep -c NoNewPrivs:.1 /proc/self/status; hostname; touch /x || echo ro"
    await played(
      pod(
        `${run(script)}
env: [{name: A, value: one}, {name: B, value: "$(A)-two"}, {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
securityContext: {runAsUser: 1234, runAsGroup: 5, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true}`,
        { spec: `${once}\n  hostname: named\n  securityContext: {fsGroup: 77, supplementalGroups: [88]}` },
      ),
    )
    const lines = (await say("p-c")).split("\n").filter((line) => !line.startsWith("touch:"))
    expect(lines).toEqual(["one one-two p", "1234", "5 77 88", "1", "named", "ro"])
  })

  test("runs init containers in order, and sidecars beside the others", async () => {
    await played(
      pod(run("cat /d/log; ls /proc/self/ns >/dev/null"), {
        spec: `${once}
  volumes: [{name: d, emptyDir: {}}]
  initContainers:
  - {name: one, image: busybox, command: [sh, -c, "echo one >> /d/log"], volumeMounts: [{name: d, mountPath: /d}]}
  - {name: side, image: busybox, restartPolicy: Always, command: [sh, -c, "echo side >> /d/log; sleep 1000"], volumeMounts: [{name: d, mountPath: /d}]}
  - {name: two, image: busybox, command: [sh, -c, "until grep -q side /d/log; do sleep 0.1; done; echo two >> /d/log"], volumeMounts: [{name: d, mountPath: /d}]}`,
      }).replace(/(\s+)args: (.*)/, "$1args: $2$1volumeMounts: [{name: d, mountPath: /d}]"),
    )
    expect(await say("p-c")).toBe("one\nside\ntwo")
    expect(await skiff.ok("ps", "--format", "{{.Names}}")).toBe("p-side")
    // one that has run is not kept
    expect(await skiff.ok("ps", "-a", "--format", "{{.Names}}")).not.toContain("p-one")
    expect(await skiff.ok("kube", "generate", "p")).toContain("restartPolicy: Always")
  })

  test("whose init container fails is told of, and stays to be looked at", async () => {
    const { code, stderr } = await play(
      pod("command: [sleep, '1']", {
        spec: `${once}\n  initContainers: [{name: bad, image: busybox, command: [sh, -c, "exit 3"]}]`,
      }),
    )
    expect(code).toBe(125)
    expect(stderr).toContain('init container "p-bad" of pod "p" exited with code 3')
    expect(await skiff.ok("ps", "-a", "--format", "{{.Names}}")).toContain("p-bad")
  })

  test("killed half way, it is replaced or taken down, and nothing is left", async () => {
    const yaml = pod("command: [sleep, '1000']\nvolumeMounts: [{name: v, mountPath: /v}]", {
      spec: "  volumes: [{name: v, emptyDir: {}}]",
    })
    for (const at of ["pod:recorded", "create:recorded", "create:snapshot-prepared", "pod:sandbox-ready"]) {
      await play(yaml, [], { env: { SKIFF_CRASH_AT: at } })
      await played(yaml, "--replace")
      expect(await inside("p-c", "ls /v")).toBe("")
      await skiff.run(["kube", "down", "-"], { stdin: yaml })
      expect(await skiff.ok("ps", "-aq")).toBe("")
    }
    await skiff.ok("volume", "prune", "-f")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  })

  test("that cannot be made leaves nothing", async () => {
    const { code, stderr } = await play(
      pod("command: [true]\ndevices: none\nvolumeMounts: [{name: h, mountPath: /proc}]", {
        spec: "  volumes: [{name: h, hostPath: {path: /}}, {name: e, emptyDir: {}}]",
      }),
    )
    expect(code).toBe(125)
    expect(stderr).toContain('cannot mount over "/proc"')
    expect(stderr).toContain('Pod "p"')
    expect(await skiff.ok("pod", "ps", "-q")).toBe("")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  })

  test("is found by the names of its containers, and its published port answers", async () => {
    const port = await freePort()
    const serve = run("mkdir /w; echo hi > /w/index.html; exec httpd -f -p 80 -h /w")
    await played(pod(`${serve}\nports: [{containerPort: 80, hostPort: ${port}}]`, { name: "srv" }))
    expect((await pageAt(`127.0.0.1:${port}`)).trim()).toBe("hi")
    const networks = await skiff.ok("container", "inspect", "-f", "{{json .NetworkSettings.Networks}}", "srv-c")
    expect(networks).toContain('"Aliases":["c"]')
    const ask = pod(run("wget -qO- http://srv/ && wget -qO- http://c/"), { name: "ask", spec: once })
    await played(ask.replace("name: c\n", "name: asker\n"))
    expect(await say("ask-asker")).toBe("hi\nhi")
    expect(await skiff.ok("pod", "inspect", "-f", "{{json .InfraConfig.Networks}}", "srv")).toContain(
      "podman-default-kube-network",
    )
  })

  test("is published by the call instead, with other words for its network", async () => {
    const port = await freePort()
    const serve = run("mkdir /w; echo hi > /w/index.html; exec httpd -f -p 80 -h /w")
    await played(pod(`${serve}\nports: [{containerPort: 80, hostPort: 1}]`), "-p", `${port}:80`, "--network", "bridge")
    expect((await pageAt(`127.0.0.1:${port}`)).trim()).toBe("hi")
  })

  test("with the host's namespaces sees the host's", async () => {
    await played(
      pod(run("hostname; readlink /proc/self/ns/net /proc/self/ns/ipc"), {
        spec: `${once}\n  hostNetwork: true\n  hostIPC: true`,
      }),
    )
    const [name] = (await say("p-c")).split("\n")
    expect(name).toBe(readFileSync("/proc/sys/kernel/hostname", "utf8").trim())
  })

  testUnless(asRootOnly)(
    "with users of its own is nobody's root on the host, and reads its files all the same",
    async () => {
      await played(
        pod(
          `${run("id -u; awk '{print ($2 > 0)}' /proc/self/uid_map; cat /s/k; echo x > /e/f && cat /e/f")}
volumeMounts: [{name: s, mountPath: /s}, {name: e, mountPath: /e}]`,
          {
            spec: `${once}\n  hostUsers: false\n  volumes: [{name: s, configMap: {name: m}}, {name: e, emptyDir: {}}]`,
          },
        ) + '---\nkind: ConfigMap\nmetadata: {name: m}\ndata: {k: "v\\n"}\n',
      )
      expect(await say("p-c")).toBe("0\n1\nv\nx")
    },
  )

  testUnless(noLimits)("has the limits that it says", async () => {
    await played(
      pod("command: [sleep, '1000']\nresources: {limits: {memory: 64Mi, cpu: 500m}, requests: {memory: 32Mi}}"),
    )
    const format = "{{.HostConfig.Memory}} {{.HostConfig.CpuQuota}} {{.HostConfig.MemoryReservation}}"
    expect(await skiff.ok("container", "inspect", "-f", format, "p-c")).toBe("67108864 50000 33554432")
  })

  testUnless(noLimits === false && "this user can limit")(
    "that cannot be limited runs all the same, and it is told",
    async () => {
      const { code, stderr } = await play(pod("command: [sleep, '1000']\nresources: {limits: {memory: 64Mi}}"))
      expect(code).toBe(0)
      expect(stderr).toContain("spec.containers[0].resources: ")
      expect(stderr).toContain("it is not limited")
    },
  )

  test("restarts what is not alive", async () => {
    await played(
      pod(
        `${run("touch /alive; sleep 1; rm /alive; sleep 1000")}
livenessProbe: {exec: {command: [test, -e, /alive]}, periodSeconds: 1, failureThreshold: 1}`,
      ),
    )
    await eventually(async () => {
      const count = await skiff.ok("container", "inspect", "-f", "{{.RestartCount}}", "p-c")
      return Number(count) > 0
    }, 30_000)
  })
})

const hookWriting = (word: string) => `{exec: {command: [sh, -c, "echo ${word} >> /h/hooks"]}}`

test("probes by http, tcp and gRPC need no program of the image, what is not ready is told and left, and hooks are run", async () => {
  const serve = "mkdir /www; echo yes > /www/ok; exec httpd -f -p 127.0.0.1:8080 -h /www"
  const yaml = `${pod(
    `${run(serve)}
livenessProbe: {httpGet: {path: /ok, port: 8080}, periodSeconds: 1}
readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1, failureThreshold: 1}
lifecycle: {postStart: ${hookWriting("started")}, preStop: ${hookWriting("stopping")}}
${mount()}`,
    { spec: `  volumes: [{name: h, hostPath: {path: ${skiff.home}/hooked, type: DirectoryOrCreate}}]` },
  ).replace("terminationGracePeriodSeconds: 0", "terminationGracePeriodSeconds: 5")}
  - name: g
    image: busybox
    command: [sh, -c, ${JSON.stringify(serveGrpcHealth(8081))}]
    livenessProbe: {grpc: {port: 8081}, periodSeconds: 1}
  - name: t
    image: busybox
    command: [sleep, "1000"]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
`
  const { code, stderr } = await play(yaml)
  expect([code, stderr]).toEqual([0, ""])
  const health = (name: string) =>
    skiff.ok("container", "inspect", "-f", "{{.State.Health.Status}} {{.RestartCount}}", name)
  const hooked = () => readFileSync(`${skiff.home}/hooked/hooks`, "utf8")
  expect(hooked()).toBe("started\n")
  await eventually(async () => (await health("p-g")) === "healthy 0" && (await health("p-t")) === "healthy 0", 20_000)
  await eventually(async () => (await health("p-c")) === "unhealthy 0", 20_000)
  await inside("p-c", "echo yes > /www/ready")
  await eventually(async () => (await health("p-c")) === "healthy 0", 20_000)
  // what is not alive begins anew, after the one hook and with the other
  await inside("p-c", "rm /www/ok")
  await eventually(() => hooked() === "started\nstopping\nstarted\n", 20_000)
  await skiff.run(["kube", "down", "-"], { stdin: yaml })
  expect(hooked()).toBe("started\nstopping\nstarted\nstopping\n")
}, 60_000)

const mounted = (name: string, volume: string) =>
  pod("command: [sleep, '1000']\nvolumeMounts: [{name: v, mountPath: /v}]", {
    name,
    spec: `  volumes: [{name: v, ${volume}}]`,
  })

describe("volumes", () => {
  const objects = `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: red, "app.conf": "x=1"}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {user: root, pass: s3cret}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, labels: {of: test}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`

  test("of objects are files with modes, or variables; secrets and claims stay until they are taken down", async () => {
    const yaml =
      pod(
        `${run(`cat /s/app.conf; cat /one; ls -l /k/pass | cut -c1-10; cat /k/pass; echo; echo $colour $L_user; cat /all/*; echo keep > /data/f; cat /dn/name; touch /s/x || echo ro`)}
envFrom: [{configMapRef: {name: settings}}, {prefix: L_, secretRef: {name: login}}]
volumeMounts:
- {name: s, mountPath: /s}
- {name: s, mountPath: /one, subPath: colour}
- {name: k, mountPath: /k}
- {name: all, mountPath: /all}
- {name: data, mountPath: /data}
- {name: dn, mountPath: /dn}`,
        {
          spec: `${once}
  volumes:
  - {name: s, configMap: {name: settings}}
  - {name: k, secret: {secretName: login, defaultMode: 0400}}
  - name: all
    projected: {sources: [{configMap: {name: settings, items: [{key: colour, path: a}]}}, {secret: {name: login, items: [{key: user, path: b}]}}]}
  - {name: dn, downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}
  - {name: data, persistentVolumeClaim: {claimName: data}}`,
        },
      ) + objects
    const output = await played(yaml)
    expect(output).toMatch(/^Volumes:\ndata\nSecrets:\n[0-9a-f]{25}\nPod:\n/)
    const lines = (await say("p-c")).split("\n").filter((line) => !line.startsWith("touch:"))
    expect(lines).toEqual(["x=1red-r--------", "s3cret", "red root", "redrootpro"])
    expect(await skiff.ok("volume", "inspect", "-f", "{{.Labels.of}}", "data")).toBe("test")
    const { stdout } = await skiff.run(["kube", "down", "-"], { stdin: yaml })
    expect(stdout).toMatch(/Secrets removed:\n[0-9a-f]{25}\nVolumes removed:\n$/)
    // what was the pod's alone went with it
    expect(await skiff.ok("volume", "ls", "-q")).toBe("data")
    const forced = await skiff.run(["kube", "down", "--force", "-"], { stdin: yaml })
    expect(forced.stdout).toEndWith("Volumes removed:\ndata\n")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  })

  test("of a pod alone have podman's names where they are free, and no other pod and no claim gets them", async () => {
    await played(mounted("one", "emptyDir: {}"))
    expect(await skiff.ok("volume", "ls", "-q")).toBe("v")
    await inside("one-c", "touch /v/mine")
    await played(mounted("two", "emptyDir: {}"))
    expect(await inside("two-c", "ls /v")).toBe("")
    const { code, stderr } = await play(mounted("three", "persistentVolumeClaim: {claimName: v}"))
    expect(code).toBe(125)
    expect(stderr).toContain('the volume "v" is of one pod or container alone')
    await played(`${mounted("four", "configMap: {name: m}")}---\nkind: ConfigMap\nmetadata: {name: m}\ndata: {k: x}\n`)
    const place = await skiff.ok("volume", "inspect", "-f", "{{.Mountpoint}}", "m")
    expect(user.rootless || readFileSync(join(place, "k"), "utf8")).toBe(user.rootless || "x")
    await skiff.ok("pod", "rm", "-f", "--all")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  })

  test("a part of a volume that leads out of it is refused", async () => {
    await skiff.ok("run", "--rm", "-v", "linked:/d", "busybox", "ln", "-s", "/nowhere", "/d/part")
    const { code, stderr } = await play(
      pod("command: [sleep, '1']\nvolumeMounts: [{name: v, mountPath: /v, subPath: part/x}]", {
        spec: "  volumes: [{name: v, persistentVolumeClaim: {claimName: linked}}]",
      }),
    )
    expect(code).toBe(125)
    expect(stderr).toContain('subPath "part/x" is outside of its volume')
  })

  test("a secret of other bytes has one key, its name; podman's older form has several", async () => {
    await skiff.run(["secret", "create", "plain", "-"], { stdin: "token: abc" })
    await skiff.run(["secret", "create", "older", "-"], { stdin: '{"user":"cm9vdA==","pass":"cHc="}' })
    await played(
      pod(
        `${run("cat /p/plain; echo; cat /o/*; echo; echo $T")}
env: [{name: T, valueFrom: {secretKeyRef: {name: plain, key: plain}}}]
volumeMounts: [{name: p, mountPath: /p}, {name: o, mountPath: /o}]`,
        {
          spec: `${once}\n  volumes: [{name: p, secret: {secretName: plain}}, {name: o, secret: {secretName: older}}]`,
        },
      ),
    )
    expect(await say("p-c")).toBe("token: abc\npwroot\ntoken: abc")
    await skiff.ok("secret", "rm", "plain", "older")
  })

  test("a secret of an earlier file is found, and one that is immutable stays", async () => {
    const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: kept}\nimmutable: true\ndata: {k: dmFsdWU=}\n"
    await played(secret)
    await played(
      pod(`${run("echo $K")}\nenv: [{name: K, valueFrom: {secretKeyRef: {name: kept, key: k}}}]`, { spec: once }),
    )
    expect(await say("p-c")).toBe("value")
    expect((await play(secret)).stderr).toContain("cannot remove colliding secret as it is set to immutable")
    await skiff.ok("secret", "rm", "kept")
  })

  test("emptyDir is empty, everybody's, and may be memory of a size", async () => {
    await played(
      pod(
        `${run("stat -c %a /e; ls /e | wc -l; echo x > /m/part/f; df -k /m | tail -1 | awk '{print $2}'; grep -c '/m tmpfs' /proc/mounts; sleep 1000")}
securityContext: {runAsUser: 99}
volumeMounts: [{name: e, mountPath: /e}, {name: m, mountPath: /m}]`,
        {
          spec: `  volumes:
  - {name: e, emptyDir: {}}
  - {name: m, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
  initContainers:
  - {name: i, image: busybox, command: [mkdir, -m, "777", /m/part], volumeMounts: [{name: m, mountPath: /m}]}`,
        },
      ),
    )
    // what an init container has put into memory is there for the others
    await eventually(async () => expect(await skiff.ok("logs", "p-c")).toBe("777\n0\n1024\n1"))
    // and stays while the container is started again
    await skiff.ok("restart", "-t", "0", "p-c")
    expect(await inside("p-c", "cat /m/part/f")).toBe("x")
  })

  test("hostPath is made, checked and bound; a part of it is found without following links out of it", async () => {
    const directory = join(skiff.home, "host")
    const volumes = (type: string, path = directory) => ({
      spec: `${once}\n  volumes: [{name: h, hostPath: {path: ${path}, type: ${type}}}]`,
    })
    await played(pod(`${run("echo made > /h/f")}\n${mount()}`, volumes("DirectoryOrCreate")))
    await skiff.ok("wait", "p-c")
    expect(readFileSync(join(directory, "f"), "utf8")).toBe("made\n")
    const wrong = await play(pod(`${run("true")}\n${mount()}`, { ...volumes("File"), name: "q" }))
    expect(wrong.stderr).toContain(`path ${directory} is not a file`)
    await played(
      pod(`${run("exec 2>&1; cat /h/f; mkdir /h/new && ls /h")}\n${mount(", subPath: part")}`, {
        ...volumes("Directory"),
        name: "r",
      }),
    )
    expect(await say("r-c")).toBe("cat: can't open '/h/f': No such file or directory\nnew")
    // a link out of the directory, made by a container as an attacker would
    await skiff.ok("run", "--rm", "-v", `${directory}:/h`, "busybox", "ln", "-s", "/etc", "/h/escape")
    const out = await play(
      pod(`${run("cat /h/hostname")}\n${mount(", subPath: escape")}`, { ...volumes("Directory"), name: "s" }),
    )
    // `escape` leads to /etc: of the directory, not of the host
    expect(`${out.stderr}${out.code === 0 ? await say("s-c") : ""}`).not.toContain(
      readFileSync("/proc/sys/kernel/hostname", "utf8").trim(),
    )
  })

  test("the engine's own store is refused by name, also behind a link", async () => {
    const link = join(skiff.home, "innocent")
    await skiff.ok("run", "--rm", "-v", `${skiff.home}:/h`, "busybox", "ln", "-s", skiff.root, "/h/innocent")
    for (const path of [`${skiff.root}/volumes`, link, `${skiff.runRoot}/new`]) {
      const { code, stderr } = await play(
        pod("command: [true]\nvolumeMounts: [{name: h, mountPath: /h}]", {
          spec: `  volumes: [{name: h, hostPath: {path: ${path}, type: DirectoryOrCreate}}]`,
        }),
      )
      expect({ path, code }).toEqual({ path, code: 125 })
      expect(stderr).toContain("is a directory of the engine's own store")
    }
    const part = await play(
      pod("command: [true]\nvolumeMounts: [{name: h, mountPath: /h, subPath: root/volumes}]", {
        spec: `  volumes: [{name: h, hostPath: {path: ${skiff.directory}}}]`,
      }),
    )
    expect(part.stderr).toContain("is a directory of the engine's own store")
    const claim = `kind: PersistentVolumeClaim\nmetadata: {name: own, annotations: {volume.podman.io/device: ${skiff.root}, volume.podman.io/mount-options: bind}}\n`
    expect((await play(claim)).stderr).toContain("is a directory of the engine's own store")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
    expect(await skiff.ok("pod", "ps", "-q")).toBe("")
  })

  testUnless(asRootOnly)("a device is a device", async () => {
    await played(
      pod(
        `${run("ls -l /dev/mine | cut -c1; head -c 1 /dev/mine | wc -c")}\nvolumeMounts: [{name: z, mountPath: /dev/mine}]`,
        {
          spec: `${once}\n  volumes: [{name: z, hostPath: {path: /dev/zero, type: CharDevice}}]`,
        },
      ),
    )
    expect(await say("p-c")).toBe("c\n1")
  })

  test("an image is mounted read-only", async () => {
    await played(
      pod(`${run("ls /i/bin/busybox; touch /i/x || echo ro")}\nvolumeMounts: [{name: i, mountPath: /i}]`, {
        spec: `${once}\n  volumes: [{name: i, image: {reference: busybox}}]`,
      }),
    )
    expect((await say("p-c")).split("\n").filter((line) => !line.startsWith("touch"))).toEqual(["/i/bin/busybox", "ro"])
  })
})

describe("other kinds", () => {
  test("a Deployment, a DaemonSet and a Job are one pod each; what is not honoured is told once, or refused", async () => {
    const yaml =
      template("web", "Deployment", "replicas: 3") +
      template("each", "DaemonSet") +
      template("job", "Job", "completions: 2") +
      "\n---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
    const strict = await play(yaml, ["--strict"])
    expect(strict.code).toBe(125)
    expect(strict.stderr).toContain("6 of what is asked for cannot be done")
    expect(await skiff.ok("pod", "ps", "-q")).toBe("")
    const { code, stderr } = await play(yaml)
    expect(code).toBe(0)
    expect(stderr).toContain('Deployment "web": spec.replicas: Limiting replica count to 1')
    expect(stderr).toContain("spec.template.spec.containers[0].imag: unknown field")
    // podman says nothing of it where nobody reads
    expect(stderr).not.toContain("Service")
    const names = (await skiff.ok("pod", "ps", "--format", "{{.Name}}")).split("\n").toSorted()
    expect(names).toEqual(["each-pod", "job-pod", "web-pod"])
    expect((await play(yaml, ["--replace", "-q"])).stderr).toBe("")
  })

  test("a List is what it holds", async () => {
    const item = '{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"NAME"},"spec":{}}'
    const list = `{"apiVersion":"v1","kind":"List","items":[${item.replace("NAME", "a")},${item.replace("NAME", "b")}]}`
    expect(await played(list)).toBe("Volumes:\nb\na\n")
  })

  test.each([
    ["kind: ConfigMap\nmetadata: {name: x}\n", "ConfigMaps in podman are not a standalone object"],
    ["kind: Service\n", "YAML document does not contain any supported kube kind"],
    ["", "YAML document does not contain any supported kube kind"],
    ["a: [b\n", "multi doc yaml could not be split"],
    ["- a\n", "this is no object of Kubernetes"],
    ["kind: Pod\nmetadata: {name: x}\nspec: {containers: 3}\n", "spec.containers must be a list"],
    ["kind: Pod\nmetadata: {name: ../x}\nspec: {containers: [{name: c, image: busybox}]}\n", "metadata.name"],
    [
      "kind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, image: no/such/image, imagePullPolicy: Never}]}\n",
      "no such image",
    ],
    ["kind: Deployment\nspec: {}\n", "deployment does not have a name"],
  ])("%j is refused", async (yaml, expected) => {
    const { code, stderr } = await play(yaml)
    expect(stderr).toContain(expected)
    expect(code).toBe(125)
  })
})

describe("the call", () => {
  test("adds annotations and labels, a log driver, ConfigMaps of other files", async () => {
    const file = join(skiff.home, "settings.yaml")
    writeFileSync(file, "kind: ConfigMap\nmetadata: {name: far}\ndata: {k: v}\n")
    const yaml = pod(`${run("echo $K")}\nenv: [{name: K, valueFrom: {configMapKeyRef: {name: far, key: k}}}]`, {
      spec: once,
    })
    await played(yaml, "--annotation", "of=call", "-l", "team=web", "--log-driver", "json-file", `--configmap=${file}`)
    expect(await say("p-c")).toBe("v")
    const format = "{{.Config.Annotations.of}} {{.Config.Labels.team}} {{.HostConfig.LogConfig.Type}}"
    expect(await skiff.ok("container", "inspect", "-f", format, "p-c")).toBe("call web json-file")
    const twice = await play(`${yaml}---\nkind: ConfigMap\nmetadata: {name: far}\n`, ["--replace", "--configmap", file])
    expect(twice.stderr).toContain("ambiguous configuration: the same config map far is present")
  })

  test("gives addresses, and refuses what does not go together", async () => {
    await skiff.ok("network", "create", "--subnet", "10.213.7.0/24", "knet")
    try {
      await played(
        pod("command: [sleep, '1000']"),
        "--network",
        "knet",
        "--ip",
        "10.213.7.9",
        "--mac-address",
        "92:d0:c6:0a:29:33",
      )
      expect(await inside("p-c", "ip addr")).toContain("10.213.7.9/24")
      expect(await inside("p-c", "ip addr")).toContain("92:d0:c6:0a:29:33")
      await skiff.ok("pod", "rm", "-f", "p")
    } finally {
      await skiff.ok("network", "rm", "knet")
    }
    const alias = { spec: "  hostAliases: [{ip: 192.0.2.1, hostnames: [x]}]" }
    const refused = [
      [["--force"], "--force may be specified only with --down"],
      [["--context-dir", "."], "--build must be specified when using --context-dir option"],
      [["--service-container", "--start=false"], "--service-container does not work"],
      [["--no-hosts"], "HostAliases in yaml file will not work"],
      [["--annotation", "x"], "must include an '=' sign"],
      [["--userns", "odd"], "odd"],
    ] as const
    for (const [flags, expected] of refused) {
      const { code, stderr } = await play(pod("command: [true]", alias), flags)
      expect(stderr).toContain(expected)
      expect(code).toBe(125)
    }
  })

  test("builds an image whose directory is there", async () => {
    mkdirSync(join(skiff.home, "own"), { recursive: true })
    writeFileSync(join(skiff.home, "own", "Containerfile"), "FROM busybox\nENV BUILT=yes\n")
    const yaml = pod(run("echo $BUILT"), { spec: once }).replace("image: busybox", "image: quay.io/none/own:1")
    expect((await play(yaml, ["--build=false"], { cwd: skiff.home })).code).toBe(125)
    const { code, stderr } = await play(yaml, ["--build", "--context-dir", skiff.home])
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(await say("p-c")).toBe("yes")
    await skiff.ok("pod", "rm", "-f", "p")
    await skiff.ok("rmi", "-f", "quay.io/none/own:1")
  })

  test("waits until the pod has ended, and leaves nothing; an interrupt ends it sooner", async () => {
    const output = await played(pod(run("exit 0"), { spec: once }), "--wait")
    expect(output).toStartWith("Use ctrl+c to clean up or wait for pods to exit\nPod:\n")
    expect(output).toContain("\nCleaning up containers, pods, and volumes...\nPods stopped:\n")
    expect(await skiff.ok("pod", "ps", "-q")).toBe("")
    const child = skiff.spawn(["kube", "play", "--wait", "-"])
    child.stdin?.end(pod("command: [sleep, '1000']"))
    await eventually(async () => (await skiff.ok("ps", "-q")) !== "")
    child.kill("SIGTERM")
    const code = await new Promise((resolve) => child.once("exit", resolve))
    expect(code).toBe(0)
    expect(await skiff.ok("ps", "-aq")).toBe("")
  })

  test("stays for a service manager until the pods have ended, and ends as they did", async () => {
    using socket = new NotifySocket(join(skiff.directory, "notify"))
    const flags = ["--service-container", "--service-exit-code-propagation=any"]
    const ended = play(pod(run("sleep 1; exit 7"), { spec: once }), flags, { env: { NOTIFY_SOCKET: socket.path } })
    expect((await ended).code).toBe(7)
    expect(socket.messages()).toEqual([expect.stringMatching(/^MAINPID=\d+\nREADY=1$/)])
    const child = skiff.spawn(["kube", "play", "--replace", ...flags, "-"])
    child.stdin?.end(pod("command: [sleep, '1000']"))
    await eventually(async () => (await skiff.ok("ps", "-q")) !== "")
    child.kill("SIGTERM")
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(0)
    expect(await skiff.ok("ps", "-q")).not.toBe("")
  })

  test("pulls with the credentials of a Secret that the pod names, and looks for a newer image at its registry", async () => {
    const registry = await Registry.start({ private: true })
    try {
      const reference = registry.push("own/app:latest", BUSYBOX)
      const auths = { auths: { [registry.host]: { username: ACCOUNT.user, password: ACCOUNT.password } } }
      const yaml = (name: string, secrets: string) =>
        pod(run("echo came"), { name, spec: `${once}\n  imagePullSecrets: [${secrets}]` }).replace(
          "image: busybox",
          `image: ${reference}`,
        )
      expect((await play(yaml("p", ""))).code).toBe(125)
      const secret = `kind: Secret\nmetadata: {name: regcred}\ntype: kubernetes.io/dockerconfigjson\nstringData: {".dockerconfigjson": '${JSON.stringify(auths)}'}\n`
      await played(`${yaml("p", "{name: regcred}")}---\n${secret}`)
      expect(await say("p-c")).toBe("came")
      const before = await skiff.ok("image", "inspect", "-f", "{{.Id}}", reference)
      registry.push("own/app:latest", { ...BUSYBOX, config: { ...BUSYBOX.config, Labels: { new: "yes" } } })
      await played(yaml("q", "{name: regcred}"))
      expect(await skiff.ok("image", "inspect", "-f", "{{.Id}}", reference)).not.toBe(before)
      // and where it cannot be asked, the one that is here does
      registry.stop()
      await played(yaml("r", "{name: regcred}"))
      await skiff.ok("pod", "rm", "-f", "--all")
      await skiff.ok("rmi", "-f", reference)
      await skiff.ok("secret", "rm", "regcred")
    } finally {
      registry.stop()
    }
  })

  test("takes several files, and an address", async () => {
    const [one, two] = ["one", "two"].map((name) => {
      const file = join(skiff.home, `${name}.yaml`)
      writeFileSync(file, pod("command: [sleep, '1000']", { name }))
      return file
    })
    await skiff.ok("kube", "play", one ?? "", two ?? "")
    expect((await skiff.ok("pod", "ps", "--format", "{{.Name}}")).split("\n").toSorted()).toEqual(["one", "two"])
    await skiff.ok("kube", "down", one ?? "", two ?? "")
    const server = createServer((_, response) => response.end(pod("command: [sleep, '1000']", { name: "web" })))
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/pod.yaml`
    try {
      await skiff.ok("play", "kube", address)
      expect(await skiff.ok("pod", "ps", "--format", "{{.Name}}")).toBe("web")
      await skiff.ok("kube", "down", address)
    } finally {
      server.close()
    }
    expect((await skiff.run(["kube", "play", "/no/such.yaml"])).stderr).toContain("no such file or directory")
  })

  test("plays what kube generate makes", async () => {
    await skiff.ok("pod", "create", "--name", "round", "-p", "8099:80")
    await skiff.ok("create", "--pod", "round", "--name", "a", "-e", "K=v", "busybox", "sleep", "1000")
    await skiff.ok(
      "create",
      "--pod",
      "round",
      "--name",
      "b",
      "--read-only",
      "-v",
      "named:/n",
      "busybox",
      "sleep",
      "1000",
    )
    const yaml = await skiff.ok("kube", "generate", "round")
    const { code, stderr } = await play(yaml, ["--replace"])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(await inside("round-a", "echo $K")).toBe("v")
    expect(await inside("round-b", "grep -c ' /n ' /proc/mounts; touch /tmp/x && touch /y || echo ro")).toContain("ro")
  })
})

test("the example is played, and answers", async () => {
  const file = join(import.meta.dir, "../../examples/kubernetes/greeting.yaml")
  const port = await freePort()
  const yaml = readFileSync(file, "utf8").replace("hostPort: 8088", `hostPort: ${port}`)
  expect((await play(yaml)).code).toBe(0)
  expect((await pageAt(`127.0.0.1:${port}`)).trim()).toBe("hello from a pod")
  expect(user.rootless || (await skiff.ok("pod", "inspect", "-f", "{{.State}}", "greeting"))).toBeTruthy()
})
