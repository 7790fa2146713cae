/** Docker's stack files, which Swarm ran, as Kubernetes objects. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test"
import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openTestObjects, type TestObjects } from "../support/kube.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
let it: TestObjects
const file = join(skiff.directory, "stack.yaml")
beforeAll(async () => {
  await skiff.ok("ps", "-q")
  it = openTestObjects(skiff)
  writeFileSync(file, STACK)
})
afterEach(() => it.clear(), 60_000)
afterAll(() => it[Symbol.dispose]())

const STACK = `
version: "3.8"
services:
  web:
    image: busybox
    pull_policy: never
    command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"]
    deploy:
      replicas: 2
      placement: {constraints: ["node.role == manager"]}
    volumes: ["data:/data"]
  agent:
    image: busybox
    pull_policy: never
    command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"]
    deploy: {mode: global}
volumes:
  data:
`

test("swarm says what takes its place, whatever docker's flags are", async () => {
  for (const args of [
    ["init", "--advertise-addr", "10.0.0.1"],
    ["join", "--token", "SWMTKN-1", "10.0.0.1:2377"],
    ["leave", "--force"],
  ]) {
    const { code, stdout, stderr } = await skiff.run(["swarm", ...args])
    expect([code, stdout]).toEqual([1, ""])
    expect(stderr).toContain("Swarm is retired")
    expect(stderr).toContain("skiff stack deploy -c FILE --apply STACK")
  }
}, 30_000)

test("a stack is deployed only with --apply: listed, its tasks shown, and taken away but for its volumes", async () => {
  const offered = await skiff.run(["stack", "deploy", "-c", file, "shop"])
  expect([offered.code, offered.stdout]).toEqual([1, ""])
  expect(offered.stderr).toContain("deployment/web")
  expect(offered.stderr).toContain("--apply")
  expect(await skiff.ok("stack", "ls")).toMatch(/^NAME +SERVICES +ORCHESTRATOR +NAMESPACE$/)
  const made = await skiff.ok("stack", "deploy", "-c", file, "--apply", "shop")
  expect(made).toContain("namespace/shop created")
  expect(made).toContain("deployment.apps/web created")
  expect(made).toContain("daemonset.apps/agent created")
  await skiff.ok("kube", "rollout", "status", "deploy/web", "-n", "shop", "--timeout", "60s")
  await skiff.ok("kube", "rollout", "status", "ds/agent", "-n", "shop", "--timeout", "60s")
  expect(await skiff.ok("stack", "ls")).toMatch(/\nshop +2 +Kubernetes +shop$/)
  const services = await skiff.ok("stack", "services", "shop")
  expect(services).toMatch(/\nweb +Deployment +2\/2 +busybox +shop\n/)
  expect(services).toMatch(/\nagent +DaemonSet +1\/1 +busybox +shop$/)
  expect(
    (await skiff.ok("stack", "ps", "shop"))
      .split("\n")
      .slice(1)
      .map((row) => row.split(/ +/)[1]),
  ).toEqual(["Running", "Running", "Running"])
  const gone = await skiff.run(["stack", "rm", "shop"])
  expect([gone.code, gone.stderr]).toEqual([0, "persistentvolumeclaim/data in shop stays, with its data\n"])
  await skiff.ok("kube", "wait", "--for=delete", "pod", "--all", "-n", "shop", "--timeout", "60s")
  expect(await skiff.ok("stack", "rm", "--volumes", "shop")).toContain("namespace/shop deleted")
  expect((await skiff.run(["stack", "ps", "shop"])).code).toBe(1)
  expect((await skiff.run(["stack", "rm", "other"])).stderr).toBe("Nothing found in stack: other\n")
}, 180_000)

test("a stack is written as files and as text, and strictly refused for what is lost", async () => {
  const directory = join(skiff.home, "manifests")
  await skiff.ok("stack", "deploy", "-c", file, "-o", directory, "shop")
  expect(readdirSync(directory)).toContain("00-shop-namespace.yaml")
  expect(await skiff.ok("stack", "deploy", "-c", file, "-o", "-", "shop")).toContain("com.docker.stack.namespace: shop")
  expect(await skiff.ok("stack", "config", "-c", file)).toContain("image: busybox")
  expect((await skiff.run(["stack", "deploy", "shop"])).stderr).toContain("--compose-file")
}, 60_000)
