/** kubectl's verbs on pods that really run: applied, rolled out, looked into, joined, and taken away. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test"
import { mkdirSync, readFileSync, writeFileSync, chownSync } from "node:fs"
import { join } from "node:path"
import { openTestObjects, type TestObjects } from "../support/kube.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
let it: TestObjects
beforeAll(async () => {
  await skiff.ok("ps", "-q")
  it = openTestObjects(skiff)
})
afterEach(() => it.clear(), 60_000)
afterAll(() => it[Symbol.dispose]())

const kube = (...args: string[]): Promise<string> => skiff.ok("kube", ...args)

function manifest(name: string, text: string): string {
  const path = join(skiff.directory, name)
  writeFileSync(path, text)
  chownSync(path, user.uid, user.gid)
  return path
}

const web = (replicas: number, command: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox
        imagePullPolicy: Never
        command: [sh, -c, "${command}"]
        ports: [{containerPort: 8080, name: http}]
`
const SERVE = "mkdir -p /www; echo hello > /www/index.html; echo started; exec httpd -f -p 8080 -h /www"

test("a Deployment is applied, rolled out, scaled, changed, undone and deleted", async () => {
  const file = manifest("web.yaml", web(2, SERVE))
  expect(await kube("apply", "-f", file)).toBe("deployment.apps/web created")
  expect(await kube("rollout", "status", "deploy/web", "--timeout", "60s")).toContain(
    'deployment "web" successfully rolled out',
  )
  expect(await kube("apply", "-f", file)).toBe("deployment.apps/web unchanged")
  const rows = (await kube("get", "pods", "-l", "app=web")).split("\n")
  expect(rows[0]).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE$/)
  expect(rows.slice(1).map((row) => row.split(/ +/).slice(1, 4))).toEqual([
    ["1/1", "Running", "0"],
    ["1/1", "Running", "0"],
  ])
  expect(await kube("scale", "deploy/web", "--replicas", "1")).toBe("deployment.apps/web scaled")
  await it.ready(1, { app: "web" })
  expect(await kube("set", "env", "deploy/web", "MODE=two")).toBe("deployment.apps/web env updated")
  await kube("rollout", "status", "deploy/web", "--timeout", "60s")
  expect(await kube("exec", "deploy/web", "--", "sh", "-c", "echo mode $MODE")).toBe("mode two")
  expect(await kube("rollout", "history", "deploy/web")).toMatch(/REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>/)
  expect(await kube("rollout", "undo", "deploy/web")).toBe("deployment.apps/web rolled back")
  await kube("rollout", "status", "deploy/web", "--timeout", "60s")
  expect(await kube("exec", "deploy/web", "--", "sh", "-c", "echo mode $MODE")).toBe("mode")
  expect(await kube("delete", "-f", file)).toBe('deployment.apps "web" deleted from default namespace')
  await kube("wait", "--for=delete", "pod", "-l", "app=web", "--timeout", "60s")
  expect((await skiff.run(["kube", "get", "all"])).stderr).toBe("No resources found in default namespace.\n")
}, 180_000)

test("a pod is looked into: logs, exec, cp, describe, and its port from here", async () => {
  await kube("apply", "-f", manifest("web.yaml", web(1, SERVE)))
  await kube("rollout", "status", "deploy/web", "--timeout", "60s")
  const name = (await kube("get", "pods", "-l", "app=web", "-o", "name")).replace("pod/", "")
  expect(await kube("logs", "deploy/web")).toBe("started")
  expect(await kube("logs", name, "--tail", "1", "--timestamps")).toMatch(/^\d{4}-\d\d-\d\dT\S+Z started$/)
  expect((await skiff.run(["kube", "exec", name, "--", "sh", "-c", "echo out; echo err >&2; exit 7"])).code).toBe(7)
  expect((await skiff.run(["kube", "exec", "-i", name, "--", "cat"], { stdin: "through" })).stdout).toBe("through")
  mkdirSync(join(skiff.directory, "files"), { recursive: true })
  chownSync(join(skiff.directory, "files"), user.uid, user.gid)
  const there = manifest("page.html", "copied\n")
  await kube("cp", there, `${name}:/www/page.html`)
  await kube("cp", `${name}:/www/page.html`, join(skiff.directory, "files", "back.html"))
  expect(readFileSync(join(skiff.directory, "files", "back.html"), "utf8")).toBe("copied\n")
  const described = await kube("describe", "pod", name)
  expect(described).toMatch(/^Name: +web-/)
  expect(described).toContain("Container started")
  expect(await kube("top", "pods")).toMatch(/^NAME +CPU\(cores\) +MEMORY\(bytes\)\nweb-\S+ +\d+m +\d+Mi$/)
  const forwarding = skiff.spawn(["kube", "port-forward", name, ":http"])
  let said = ""
  forwarding.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()))
  try {
    await eventually(() => said.includes("Forwarding from 127.0.0.1:"))
    const port = /127\.0\.0\.1:(\d+) -> 8080/.exec(said)?.[1]
    expect(await (await fetch(`http://127.0.0.1:${port}/page.html`)).text()).toBe("copied\n")
  } finally {
    forwarding.kill("SIGTERM")
    await new Promise((resolve) => forwarding.once("exit", resolve))
  }
}, 120_000)

test("a pod is run and joined, another one looked into with tools, and a node is drained by the rules of budgets", async () => {
  const image = ["--image=busybox", "--image-pull-policy=Never"]
  const joined = await skiff.run(["kube", "run", "once", "-i", "--rm", "--restart=Never", ...image, "--", "cat"], {
    stdin: "through",
  })
  expect([joined.code, joined.stdout]).toEqual([0, 'throughpod "once" deleted from default namespace\n'])
  // over before it is joined, most times
  const failed = await skiff.run([
    "kube",
    "run",
    "bad",
    "-i",
    "--rm",
    "-q",
    "--restart=Never",
    ...image,
    "--",
    "sh",
    "-c",
    "echo said; exit 4",
  ])
  expect([failed.code, failed.stdout]).toEqual([4, expect.stringMatching(/^(?:said\n)?$/)])
  await kube("apply", "-f", manifest("web.yaml", web(1, SERVE)))
  await kube("rollout", "status", "deploy/web", "--timeout", "60s")
  const tools = await skiff.run(["kube", "debug", "deploy/web", "-i", "--target=main", ...image, "--", "sh"], {
    stdin: "ps; wget -qO- http://127.0.0.1:8080; exit 3\n",
  })
  expect([tools.code, tools.stdout]).toEqual([3, expect.stringMatching(/httpd -f -p 8080[^]*hello\n$/)])
  await kube("create", "pdb", "web", "--selector=app=web", "--min-available=1")
  await eventually(async () =>
    expect(await kube("get", "pdb", "web", "-o", "jsonpath={.status.currentHealthy}")).toBe("1"),
  )
  const [node = ""] = (await kube("get", "nodes", "-o", "name")).replace("node/", "").split("\n")
  const kept = await skiff.run(["kube", "drain", node, "--ignore-daemonsets", "--timeout", "1s"])
  expect([kept.code, kept.stderr]).toEqual([1, expect.stringContaining("would violate the pod's disruption budget")])
  await kube("delete", "pdb", "web")
  expect(await kube("drain", node, "--ignore-daemonsets", "--timeout", "60s")).toMatch(
    new RegExp(
      `^node/${node} already cordoned\nevicting pod default/web-\\S+\npod/web-\\S+ evicted\nnode/${node} drained$`,
    ),
  )
  expect(await kube("get", "pods", "-o", "jsonpath={.items[*].status.phase}")).toBe("Pending")
  await kube("uncordon", node)
  await kube("rollout", "status", "deploy/web", "--timeout", "60s")
}, 180_000)

test("what is wrong is told as the API server tells it, and nothing is kept of it", async () => {
  const misspelt = manifest("bad.yaml", web(1, SERVE).replace("replicas:", "replica:"))
  const refused = await skiff.run(["kube", "apply", "-f", misspelt])
  expect(refused).toMatchObject({ code: 1, stdout: "" })
  expect(refused.stderr).toContain(
    `Error from server (BadRequest): error when creating "${misspelt}": Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"`,
  )
  expect((await skiff.run(["kube", "get", "pod", "none"])).stderr).toContain(
    'Error from server (NotFound): pods "none" not found',
  )
  expect((await skiff.run(["kube", "get", "boats"])).stderr).toContain(
    'the server doesn\'t have a resource type "boats"',
  )
  const dry = manifest("web.yaml", web(1, SERVE))
  expect(await kube("apply", "-f", dry, "--dry-run=server")).toBe("deployment.apps/web created (server dry run)")
  expect(it.objects.find("deployments.apps", "web", "default")).toBeUndefined()
})

test("manifests are hostile: bombs, objects of megabytes, lists within lists", async () => {
  const bomb = manifest(
    "bomb.yaml",
    `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghij"
      .split("")
      .map((one, index) => `${one}: &${one} [${Array.from({ length: 9 }, () => `*${"abcdefghij"[index]}`).join(",")}]`)
      .join("\n")}\n`,
  )
  expect((await skiff.run(["kube", "apply", "-f", bomb])).stderr).toContain("excessive aliasing")
  const large = manifest(
    "large.yaml",
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: large}\ndata: {a: "${"x".repeat(3_000_000)}"}\n`,
  )
  expect((await skiff.run(["kube", "create", "-f", large])).stderr).toMatch(/Too long|limit|more than/)
  const deep = manifest(
    "deep.yaml",
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: deep}\ndata: ${"[".repeat(600)}`,
  )
  expect((await skiff.run(["kube", "apply", "-f", deep])).stderr).toContain("nested more than")
})

test("a kubeconfig is written, read and changed as kubectl does it", async () => {
  const config = ["--kubeconfig", join(skiff.directory, "config")]
  await kube("config", "set-cluster", "c", "--server", "https://127.0.0.1:1", ...config)
  await kube("config", "set-credentials", "u", "--token", "secret", ...config)
  const made = await kube("config", "set-context", "x", "--cluster", "c", "--user", "u", ...config)
  expect(made).toBe('Context "x" created.')
  expect(await kube("config", "use-context", "x", ...config)).toBe('Switched to context "x".')
  expect(await kube("config", "get-contexts", ...config)).toMatch(
    /^CURRENT +NAME +CLUSTER +AUTHINFO +NAMESPACE\n\* +x +c +u$/,
  )
  expect(await kube("config", "view", ...config)).toContain("token: REDACTED")
  expect(await kube("config", "rename-context", "x", "y", ...config)).toBe('Context "x" renamed to "y".')
  expect(await kube("config", "current-context", ...config)).toBe("y")
}, 60_000)
