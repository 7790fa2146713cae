/** The examples of examples/kubernetes/ that stand on busybox, by the commands that they name; the others: kube-charts.test.ts. */
import { join } from "node:path"
import { afterEach, expect, test } from "bun:test"
import { noLimits, openStore, testUnless } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const directory = join(import.meta.dir, "../../examples/kubernetes")
const kube = (...words: string[]) => skiff.ok("kube", ...words)
const get = (what: string, path: string) => kube("get", what, "-o", `jsonpath=${path}`)

afterEach(async () => {
  await kube(
    "delete",
    "deployment,statefulset,service,ingress,networkpolicy,hpa,pod,pvc,configmap",
    "--all",
    "--ignore-not-found",
  )
  await eventually(async () => (await kube("get", "pods", "-o", "name")) === "", 30_000)
}, 60_000)

test("what a Deployment wrote to its claim is there after a restart of its rollout", async () => {
  await kube("apply", "-f", join(directory, "kept-data.yaml"))
  await kube("rollout", "status", "deployment/notes", "--timeout=30s")
  await kube("rollout", "restart", "deployment/notes")
  await kube("rollout", "status", "deployment/notes", "--timeout=30s")
  const names = (await kube("exec", "deploy/notes", "--", "cat", "/data/starts")).split("\n")
  expect(names).toHaveLength(2)
  expect(new Set(names).size).toBe(2)
}, 60_000)

const ask = async (port = 30_080) => (await (await fetch(`http://127.0.0.1:${port}/`)).text()).trim()

testUnless(noLimits)(
  "an autoscaler makes more pods of one that is busy",
  async () => {
    await kube("apply", "-f", join(directory, "under-load.yaml"))
    await eventually(async () => (await get("deployment/worker", "{.status.readyReplicas}")) === "3", 50_000)
  },
  90_000,
)

test("a Service's selector switches from blue to green, all at once", async () => {
  await kube("apply", "-f", join(directory, "blue-green.yaml"))
  for (const version of ["blue", "green"])
    await kube("rollout", "status", `deployment/front-${version}`, "--timeout=60s")
  await eventually(async () => expect(await ask(30_081)).toBe("blue"))
  await kube("patch", "service", "front", "-p", '{"spec":{"selector":{"version":"green"}}}')
  await eventually(async () => expect(await ask(30_081)).toBe("green"))
  for (let asked = 0; asked < 10; asked++) expect(await ask(30_081)).toBe("green")
}, 90_000)

test("a NetworkPolicy lets friends in, and strangers not", async () => {
  await kube("apply", "-f", join(directory, "network-policy.yaml"))
  await kube("wait", "pod", "--all", "--for=condition=Ready", "--timeout=60s")
  const address = await get("service/vault", "{.spec.clusterIP}")
  const from = async (name: string) =>
    (
      await skiff.run([
        "kube",
        "exec",
        name,
        "--",
        "sh",
        "-c",
        `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${address} 80 | tail -n 1`,
      ])
    ).stdout.trim()
  await eventually(async () => expect(await from("friend")).toBe("treasure"))
  await eventually(async () => expect(await from("stranger")).toBe(""), 20_000)
  expect(await from("friend")).toBe("treasure")
}, 90_000)

test("an Ingress tells two hosts apart", async () => {
  // the usual port is not an ordinary user's
  await kube(
    "create",
    "configmap",
    "skiff-ingress",
    "-n",
    "kube-system",
    "--from-literal=http=18091",
    "--from-literal=https=18491",
  )
  await kube("apply", "-f", join(directory, "two-hosts.yaml"))
  for (const name of ["tea", "coffee"]) await kube("rollout", "status", `deployment/${name}`, "--timeout=60s")
  for (const name of ["tea", "coffee"])
    await eventually(async () => {
      const answer = await fetch("http://127.0.0.1:18091/", { headers: { host: `${name}.test` } })
      expect((await answer.text()).trim()).toBe(name)
    }, 20_000)
  await kube("delete", "configmap", "skiff-ingress", "-n", "kube-system")
}, 90_000)

test("a pod of a StatefulSet comes back by its name, with its data", async () => {
  await kube("apply", "-f", join(directory, "stateful.yaml"))
  await kube("rollout", "status", "statefulset/journal", "--timeout=60s")
  const before = await get("pod/journal-1", "{.metadata.uid}")
  await kube("delete", "pod", "journal-1")
  await eventually(async () => expect(await get("pod/journal-1", "{.metadata.uid}")).not.toBe(before), 20_000)
  await kube("rollout", "status", "statefulset/journal", "--timeout=60s")
  await kube("wait", "pod/journal-1", "--for=condition=Ready", "--timeout=60s")
  expect(await kube("exec", "journal-1", "--", "cat", "/data/starts")).toBe("journal-1\njournal-1")
  expect(await kube("exec", "journal-0", "--", "cat", "/data/starts")).toBe("journal-0")
}, 120_000)
