/** One user is enough. The API by HTTPS, to the real kubectl and helm. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import type { ChildProcess } from "node:child_process"
import { spawnSync } from "node:child_process"
import { X509Certificate } from "node:crypto"
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { realClients } from "../support/kubectl.ts"
import { openTestObjects, type TestObjects } from "../support/kube.ts"
import { openStore } from "../support/store.ts"
import { tempDirectory } from "../support/temp-directory.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const clients = realClients(tempDirectory("skiff-kubectl-"))
const kubeconfig = join(skiff.directory, "kubeconfig")
let server: ChildProcess
let it: TestObjects
interface Ended {
  code: number
  stdout: string
  stderr: string
}

function run(program: string, args: readonly string[], input = ""): Ended {
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: skiff.home }
  const { status, stdout, stderr } = spawnSync(program, args, {
    env,
    input,
    encoding: "utf8",
    timeout: 60_000,
    cwd: skiff.directory,
  })
  return { code: status ?? -1, stdout, stderr }
}

const kubectl = (...args: string[]): string => {
  const { code, stdout, stderr } = run(clients?.kubectl ?? "", args)
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`)
  return stdout.trim()
}

const helm = (...args: string[]): string => {
  const { code, stdout, stderr } = run(clients?.helm ?? "", args)
  if (code !== 0) throw new Error(`helm ${args.join(" ")}: ${stderr}`)
  return stdout
}

const urlOf = (path: string): string => /server: (\S+)/.exec(readFileSync(path, "utf8"))?.[1] ?? ""

const POD = `
apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: one}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox
    imagePullPolicy: Never
    command: [sh, -c, "mkdir /www; echo page > /www/index.html; echo up; exec httpd -f -p 8080 -h /www"]
`

const KINDS = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: kept}
spec:
  serviceName: kept
  selector: {matchLabels: {app: kept}}
  template:
    metadata: {labels: {app: kept}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox
        imagePullPolicy: Never
        command: [sleep, "3600"]
        env: [{name: WORD, valueFrom: {secretKeyRef: {name: words, key: a}}}]
        ports: [{name: http, containerPort: 8080}]
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Mi}}}
---
apiVersion: v1
kind: Secret
metadata: {name: words}
stringData: {a: b}
---
apiVersion: v1
kind: Service
metadata: {name: kept}
spec: {selector: {app: kept}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: kept}
spec:
  ingressClassName: skiff
  tls: [{hosts: [kept.test], secretName: words}]
  rules: [{host: kept.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: kept, port: {number: 80}}}}]}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: kept}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {matchLabels: {a: b}}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: 80}]}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: kept}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: other}
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: kept}
spec: {maxUnavailable: 0, selector: {matchLabels: {app: kept}}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: kept}
spec: {limits: [{type: PersistentVolumeClaim, max: {storage: 1Gi}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: kept}
spec: {hard: {pods: "40"}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: kept}
spec: {schedule: "0 4 * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: busybox}]}}}}}
`
const SAID_ALIKE = [
  "describe pod,sts,svc,ing,netpol,pdb,limits,quota,cj,pvc,pv,sc,sa,secret,endpointslice,ingressclass",
  "get all,ing,netpol,pdb,pvc,pv,sc -o wide",
  "rollout status sts/kept",
  "set env sts/kept --list",
  "patch sts kept -p {}",
  "exec kept-0 -- sh -c false",
  "auth whoami",
]

describe("a store's API by HTTPS", () => {
  beforeAll(async () => {
    await skiff.ok("ps", "-q")
    it = openTestObjects(skiff)
    server = skiff.spawn(["kube", "serve", "--listen", "127.0.0.1:0", "--write-kubeconfig", kubeconfig])
    await eventually(() => existsSync(kubeconfig))
  })
  afterEach(() => it.clear(), 60_000)
  afterAll(async () => {
    server.kill("SIGTERM")
    await new Promise((resolve) => server.once("exit", resolve))
    it[Symbol.dispose]()
  })

  test("the kubeconfig is its owner's alone, and who has no token is nobody", async () => {
    expect(statSync(kubeconfig).mode & 0o777).toBe(0o600)
    const url = urlOf(kubeconfig)
    const init = { tls: { rejectUnauthorized: false } } as RequestInit
    const answer = await fetch(`${url}/api/v1/namespaces/default/secrets`, init)
    expect([answer.status, await answer.json()]).toMatchObject([401, { kind: "Status", reason: "Unauthorized" }])
    expect(await skiff.ok("kube", "get", "--kubeconfig", kubeconfig, "ns", "-o", "name")).toContain("namespace/default")
  })

  test("a kubeconfig with a program that gives credentials, as EKS, GKE and AKS have: diff, deploy, and why one is refused", async () => {
    const text = readFileSync(kubeconfig, "utf8")
    // one that begins with a dash or is all digits stands in quotes
    const [, token = ""] = /token: "?([^\s"]+)/.exec(text) ?? []
    const plugin = join(skiff.directory, "plugin")
    // each asks for its own words, and is told of the cluster where it wants to be
    const program = `#!/bin/sh
echo "$@" >> ${skiff.home}/asked
case "$KUBERNETES_EXEC_INFO" in *'"server":"https://'*) ;; *) [ "$1" = get-token ] || exit 9;; esac
[ "$PROFILE" = refused ] && { echo "log in first" >&2; exit 3; }
echo '{"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential", "status": {"expirationTimestamp": "2099-01-01T00:00:00Z", "token": "${token}"}}'
`
    writeFileSync(plugin, program, { mode: 0o755 })
    const users = {
      eks: `{apiVersion: client.authentication.k8s.io/v1beta1, command: ${plugin}, args: [--region, eu-central-1, eks, get-token, --cluster-name, shop, --output, json], provideClusterInfo: true}`,
      gke: `{apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin, installHint: install it, provideClusterInfo: true}`,
      aks: `{apiVersion: client.authentication.k8s.io/v1beta1, command: ${plugin}, args: [get-token, --login, azurecli, --server-id, x], env: null, interactiveMode: IfAvailable}`,
      refused: `{apiVersion: client.authentication.k8s.io/v1, command: ${plugin}, args: [get-token], env: [{name: PROFILE, value: refused}], interactiveMode: Never}`,
      missing: `{apiVersion: client.authentication.k8s.io/v1, command: ${plugin}-none, installHint: "run: apt install it", interactiveMode: Never}`,
    }
    const clouds = join(skiff.directory, "clouds")
    const contexts = Object.keys(users).map((name) => `- {name: ${name}, context: {cluster: skiff, user: ${name}}}`)
    const credentials = Object.entries(users).map(([name, exec]) => `- {name: ${name}, user: {exec: ${exec}}}`)
    const [clusters = ""] = text.split(/^contexts:/m)
    writeFileSync(clouds, `${clusters}contexts:\n${contexts.join("\n")}\nusers:\n${credentials.join("\n")}\n`, {
      mode: 0o644,
    })
    const on = (context: string, ...words: string[]) =>
      skiff.run(["kube", ...words, "--kubeconfig", clouds, "--context", context])
    const file = join(skiff.directory, "conf.yaml")
    writeFileSync(file, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: one}\n")
    expect(await on("eks", "diff", "-f", file)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("+  a: one") as string,
    })
    expect(await on("gke", "deploy", "-f", file)).toMatchObject({ code: 0, stdout: "configmap/conf created\n" })
    expect(await on("aks", "diff", "-f", file)).toMatchObject({ code: 0, stdout: "" })
    const refused = await on("refused", "get", "pods")
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("ended with 3: log in first")])
    const missing = await on("missing", "get", "pods")
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringMatching(/cannot be run[^]*run: apt install it/)])
    expect(readFileSync(join(skiff.home, "asked"), "utf8")).toContain("--region eu-central-1 eks get-token")
    await skiff.ok("kube", "delete", "-f", file)
  }, 60_000)

  test.skipIf(clients === undefined)(
    "kubectl applies, reads, joins and deletes",
    async () => {
      writeFileSync(join(skiff.directory, "pod.yaml"), POD)
      expect(kubectl("apply", "-f", "pod.yaml")).toBe("pod/one created")
      kubectl("wait", "--for=condition=Ready", "pod/one", "--timeout=60s")
      expect(kubectl("apply", "-f", "pod.yaml")).toBe("pod/one unchanged")
      expect(kubectl("get", "pods")).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE\none +1\/1 +Running +0 +\d+s$/)
      expect(kubectl("logs", "one")).toBe("up")
      expect(
        run(clients?.kubectl ?? "", ["exec", "one", "--", "sh", "-c", "echo out; echo err >&2; exit 7"]),
      ).toMatchObject({
        code: 7,
        stdout: "out\n",
        stderr: expect.stringContaining("err\n") as string,
      })
      expect(run(clients?.kubectl ?? "", ["exec", "-i", "one", "--", "cat"], "through")).toMatchObject({
        code: 0,
        stdout: "through",
      })
      // several messages, and their end, that are there before the program has started: as kubectl cp sends a small file
      const text = "x".repeat(100_000)
      expect(run(clients?.kubectl ?? "", ["exec", "-i", "one", "--", "cat"], text).stdout).toHaveLength(text.length)
      // a request for a certificate, approved by the real kubectl
      const csr = spawnSync("sh", [
        "-c",
        "openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=jane | base64 -w0",
      ])
      run(
        clients?.kubectl ?? "",
        ["apply", "-f", "-"],
        `{apiVersion: certificates.k8s.io/v1, kind: CertificateSigningRequest, metadata: {name: jane}, spec: {request: ${csr.stdout.toString()}, signerName: kubernetes.io/kube-apiserver-client, usages: [client auth]}}`,
      )
      expect(kubectl("certificate", "approve", "jane")).toContain("jane approved")
      expect(kubectl("get", "csr", "jane")).toMatch(/kubernetes-admin +<none> +Approved,Issued$/)
      kubectl("delete", "csr", "jane")
      expect(kubectl("describe", "pod", "one")).toContain("Container started")
      expect(kubectl("explain", "pod.spec.restartPolicy")).toContain("FIELD: restartPolicy")
      expect(kubectl("top", "pods")).toMatch(/^NAME +CPU\(cores\) +MEMORY\(bytes\) *\none +\d+m +\d+Mi *$/)
      expect(kubectl("auth", "can-i", "delete", "pods")).toBe("yes")
      expect(kubectl("delete", "pod", "one")).toContain('pod "one" deleted')
    },
    120_000,
  )

  test.skipIf(clients === undefined)(
    "skiff kube says what kubectl says",
    async () => {
      writeFileSync(join(skiff.directory, "kinds.yaml"), KINDS)
      kubectl("apply", "-f", "kinds.yaml")
      kubectl("rollout", "status", "statefulset/kept", "--timeout=60s")
      const differences: string[] = []
      for (const line of SAID_ALIKE) {
        const words = line.split(" ")
        // an age may be another second
        const plain = ({ code, stdout, stderr }: Ended) =>
          `${code} ${stdout}${stderr.replace(/^(?:skiff|error): /, "")}`
            .replaceAll(/\b(?:\d+[mh])?\d+s\b/g, "AGE")
            .replaceAll(/ {2,}/g, "  ")
            .replaceAll(/ +$/gm, "")
        const [ours, theirs] = [
          plain(await skiff.run(["kube", ...words], { cwd: skiff.directory })),
          plain(run(clients?.kubectl ?? "", words)),
        ]
        if (ours !== theirs) differences.push(`kubectl ${line}\n${theirs}\nskiff kube ${line}\n${ours}`)
      }
      kubectl("delete", "-f", "kinds.yaml", "--wait=false")
      kubectl("delete", "pvc", "data-kept-0")
      expect(differences.join("\n\n")).toBe("")
    },
    120_000,
  )

  test.skipIf(clients === undefined)(
    "kubectl forwards a port",
    async () => {
      writeFileSync(join(skiff.directory, "pod.yaml"), POD)
      kubectl("apply", "-f", "pod.yaml")
      kubectl("wait", "--for=condition=Ready", "pod/one", "--timeout=60s")
      const { spawn } = await import("node:child_process")
      const forwarding = spawn(clients?.kubectl ?? "", ["port-forward", "one", ":8080"], {
        env: { ...process.env, KUBECONFIG: kubeconfig, HOME: skiff.home },
      })
      let said = ""
      forwarding.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()))
      try {
        await eventually(() => said.includes("Forwarding from 127.0.0.1:"))
        const port = /127\.0\.0\.1:(\d+)/.exec(said)?.[1]
        expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("page\n")
      } finally {
        forwarding.kill("SIGTERM")
        await new Promise((resolve) => forwarding.once("exit", resolve))
      }
    },
    120_000,
  )

  test("another cluster's pods are joined as this machine's: exec, attach, cp and port-forward by a kubeconfig", async () => {
    writeFileSync(join(skiff.directory, "pod.yaml"), POD)
    const there = (...args: string[]): Promise<string> => skiff.ok("kube", "--kubeconfig", kubeconfig, ...args)
    await there("apply", "-f", join(skiff.directory, "pod.yaml"))
    await there("wait", "--for=condition=Ready", "pod/one", "--timeout=60s")
    const exec = ["kube", "--kubeconfig", kubeconfig, "exec"]
    expect(await skiff.run([...exec, "one", "--", "sh", "-c", "echo out; echo err >&2; exit 7"])).toMatchObject({
      code: 7,
      stdout: "out\n",
      stderr: "err\n",
    })
    const large = "0123456789abcdef".repeat(100_000)
    const echoed = await skiff.run([...exec, "-i", "one", "--", "cat"], { stdin: large })
    expect([echoed.code, echoed.stdout === large]).toEqual([0, true])
    expect((await skiff.run([...exec, "one", "--", "none"])).stderr).toContain("none")
    const missing = await skiff.run([...exec, "one", "-c", "other", "--", "true"])
    expect(missing.stderr).toContain("container other is not valid for pod one")
    // there and back, a directory and a file
    await skiff.ok(...exec, "one", "--", "ln", "-s", "busybox", "/bin/tar")
    const files = join(skiff.directory, "cp")
    mkdirSync(join(files, "in"), { recursive: true })
    writeFileSync(join(files, "in", "a.txt"), large)
    for (const path of [files, join(files, "in"), join(files, "in", "a.txt")]) chownSync(path, user.uid, user.gid)
    await there("cp", join(files, "in"), "one:/tmp")
    await there("cp", join(files, "in", "a.txt"), "one:/tmp/in/b.txt")
    await skiff.ok(...exec, "one", "--", "ln", "-s", "/etc/hostname", "/tmp/in/link")
    await there("cp", "default/one:/tmp/in", join(files, "back"))
    await there("cp", "one:/tmp/in/b.txt", files)
    expect(readFileSync(join(files, "back", "a.txt"), "utf8") === large).toBe(true)
    expect(readFileSync(join(files, "b.txt"), "utf8") === large).toBe(true)
    expect(readlinkSync(join(files, "back", "link"))).toBe("/etc/hostname")
    expect(readdirSync(files).toSorted()).toEqual(["b.txt", "back", "in"])
    expect((await skiff.run(["kube", "--kubeconfig", kubeconfig, "cp", "one:/none", files])).stderr).toContain(
      "none: No such file",
    )
    const forwarding = skiff.spawn(["kube", "--kubeconfig", kubeconfig, "port-forward", "one", ":8080", ":9"])
    let said = ""
    for (const stream of [forwarding.stdout, forwarding.stderr])
      stream?.on("data", (chunk: Buffer) => (said += chunk.toString()))
    try {
      const portTo = (inside: number): string | undefined =>
        new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${inside}\n`).exec(said)?.[1]
      await eventually(() => portTo(8080) !== undefined && portTo(9) !== undefined)
      expect(await (await fetch(`http://127.0.0.1:${portTo(8080)}/`)).text()).toBe("page\n")
      expect(await (await fetch(`http://127.0.0.1:${portTo(8080)}/`)).text()).toBe("page\n")
      expect(fetch(`http://127.0.0.1:${portTo(9)}/`)).rejects.toThrow()
      await eventually(() => said.includes("an error occurred forwarding 9: error forwarding port 9"))
    } finally {
      forwarding.kill("SIGTERM")
      await new Promise((resolve) => forwarding.once("exit", resolve))
    }
    const attached = skiff.spawn(["kube", "--kubeconfig", kubeconfig, "attach", "one"])
    const left = new Promise((resolve) => attached.once("exit", resolve))
    await there("delete", "pod", "one", "--grace-period=1")
    await left
  }, 120_000)

  test.skipIf(clients === undefined)(
    "a service account may do what its roles say, and no more",
    () => {
      kubectl("create", "serviceaccount", "robot")
      kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
      kubectl("create", "rolebinding", "readers", "--role=reader", "--serviceaccount=default:robot")
      const token = kubectl("create", "token", "robot")
      expect(kubectl("--token", token, "auth", "can-i", "list", "pods")).toBe("yes")
      const refused = run(clients?.kubectl ?? "", ["--token", token, "get", "secrets"])
      expect(refused.stderr).toContain(
        'secrets is forbidden: User "system:serviceaccount:default:robot" cannot list resource "secrets" in API group "" in the namespace "default"',
      )
      kubectl("delete", "serviceaccount", "robot")
      expect(run(clients?.kubectl ?? "", ["--token", token, "get", "pods"]).stderr).toContain("Unauthorized")
    },
    60_000,
  )

  test.skipIf(clients === undefined)(
    "a pod's programs are its service account: kubectl in it needs no word of where the API is and who asks",
    async () => {
      const pod = (name: string, more: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 1
  serviceAccountName: inner
  ${more}
  volumes:
  - name: clients
    hostPath: {path: ${dirname(clients?.kubectl ?? "")}}
  - name: vault
    projected: {sources: [{serviceAccountToken: {audience: vault, path: vault-token}}]}
  containers:
  - name: main
    image: busybox
    imagePullPolicy: Never
    command: [sleep, "1000"]
    volumeMounts: [{name: clients, mountPath: /clients}, {name: vault, mountPath: /vault}]
`
      kubectl("create", "serviceaccount", "inner")
      kubectl("create", "rolebinding", "inner", "--clusterrole=view", "--serviceaccount=default:inner")
      writeFileSync(
        join(skiff.directory, "pods.yaml"),
        `${pod("in", "")}---${pod("out", "automountServiceAccountToken: false")}`,
      )
      kubectl("apply", "-f", "pods.yaml")
      kubectl("wait", "--for=condition=Ready", "pod/in", "pod/out", "--timeout=60s")
      const inside = (...words: string[]): Ended => run(clients?.kubectl ?? "", ["exec", "in", "--", ...words])
      await eventually(() => {
        const asked = inside("/clients/kubectl", "get", "pods", "-o", "name")
        if (asked.code !== 0) throw new Error(asked.stderr)
        return true
      })
      expect(inside("/clients/kubectl", "get", "pods", "-o", "name").stdout).toBe("pod/in\npod/out\n")
      expect(inside("/clients/kubectl", "get", "secrets").stderr).toContain('cannot list resource "secrets"')
      expect(inside("/clients/kubectl", "auth", "whoami").stdout).toMatch(
        /Username +system:serviceaccount:default:inner\n(.*\n)*.*pod-name *\[in\]/i,
      )
      const token = inside("cat", "/vault/vault-token").stdout
      expect(run(clients?.kubectl ?? "", ["--token", token, "get", "pods"]).stderr).toContain("Unauthorized")
      const review = {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token, audiences: ["vault"] },
      }
      const reviewed = run(clients?.kubectl ?? "", ["create", "-f", "-", "-o", "json"], JSON.stringify(review)).stdout
      expect(JSON.parse(reviewed)).toMatchObject({
        status: {
          authenticated: true,
          audiences: ["vault"],
          user: { username: "system:serviceaccount:default:inner" },
        },
      })
      expect(run(clients?.kubectl ?? "", ["exec", "out", "--", "ls", "/var/run/secrets"]).code).not.toBe(0)
    },
    120_000,
  )

  test.skipIf(clients === undefined)(
    "who brings a certificate is its user, with its groups",
    async () => {
      const jane = join(skiff.directory, "jane.yaml")
      const made = await skiff.ok(
        "kube",
        "create",
        "kubeconfig",
        "jane",
        "--group",
        "readers",
        "--server",
        urlOf(kubeconfig),
        "--expires",
        "720h",
      )
      writeFileSync(jane, made)
      const encoded = /client-certificate-data: (\S+)/.exec(made)?.[1] ?? ""
      const until = Date.parse(new X509Certificate(Buffer.from(encoded, "base64")).validTo)
      expect(Math.round((until - Date.now()) / 86_400_000)).toBe(30)
      const asJane = (...args: string[]): Ended => run(clients?.kubectl ?? "", ["--kubeconfig", jane, ...args])
      expect(asJane("auth", "whoami").stdout).toMatch(/Username +jane\nGroups +\[readers system:authenticated\]/)
      expect(asJane("get", "pods").stderr).toContain('User "jane" cannot list resource "pods"')
      kubectl("create", "rolebinding", "readers-view", "--clusterrole=view", "--group=readers")
      expect(asJane("get", "pods").code).toBe(0)
      expect((await skiff.run(["kube", "get", "pods", "--kubeconfig", jane])).code).toBe(0)
      // one of somebody else's, whatever it says
      const [key, cert] = [join(skiff.directory, "other.key"), join(skiff.directory, "other.crt")]
      const words = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-noenc",
        "-days",
        "1",
      ]
      run("openssl", [...words, "-keyout", key, "-out", cert, "-subj", "/O=system:masters/CN=owner"])
      const tls = { rejectUnauthorized: false, cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") }
      expect((await fetch(`${urlOf(kubeconfig)}/api/v1/pods`, { tls } as RequestInit)).status).toBe(401)
      expect((await skiff.run(["kube", "create", "kubeconfig", "x", "--group", "system:masters"])).code).toBe(1)
    },
    60_000,
  )

  test.skipIf(clients === undefined)(
    "helm installs, upgrades, rolls back, tests and uninstalls a chart",
    async () => {
      helm("create", "shop")
      expect(helm("install", "shop", "./shop")).toContain("STATUS: deployed")
      expect(helm("upgrade", "shop", "./shop", "--set", "replicaCount=2")).toContain("REVISION: 2")
      expect(it.objects.get("deployments.apps", "shop")["spec"]).toMatchObject({ replicas: 2 })
      expect(helm("rollback", "shop", "1")).toContain("Rollback was a success")
      expect(it.objects.get("deployments.apps", "shop")["spec"]).toMatchObject({ replicas: 1 })
      expect(helm("history", "shop")).toMatch(/3\s+.*deployed/)
      expect(helm("uninstall", "shop")).toContain("uninstalled")
      expect(it.objects.find("deployments.apps", "shop")).toBeUndefined()
    },
    120_000,
  )
})
