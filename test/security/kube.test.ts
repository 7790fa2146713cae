/** What an image says of itself makes it nobody's pod. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../support/store.ts"
import { openTestObjects, type TestObjects } from "../support/kube.ts"

const skiff = openStore()
let it: TestObjects
beforeAll(async () => {
  await skiff.ok("ps", "-q")
  it = openTestObjects(skiff)
})
afterAll(() => it[Symbol.dispose]())

test("a container whose image has the labels of a pod's is neither entered nor removed as one of it", async () => {
  await it.put({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web" },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: "main",
          image: "busybox",
          imagePullPolicy: "Never",
          command: ["sh", "-c", "while :; do sleep 1; done"],
        },
      ],
    },
  })
  await it.ready(1)
  const { uid } = it.objects.get("pods", "web", "default").metadata
  const labels = {
    "io.skiff.kube.uid": uid,
    "io.kubernetes.pod.uid": uid,
    "io.kubernetes.pod.name": "web",
    "io.kubernetes.pod.namespace": "default",
    "io.kubernetes.container.name": "main",
    "io.kubernetes.container.restartCount": "9",
  }
  const directory = join(skiff.directory, "evil")
  mkdirSync(directory, { mode: 0o755 })
  const words = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
  writeFileSync(join(directory, "Containerfile"), `FROM busybox\nLABEL ${words.join(" ")}\n`)
  await skiff.ok("build", "-q", "--network=none", "-t", "evil", directory)
  const id = (await skiff.ok("run", "-d", "--network=none", "--name", "stranger", "evil", "sleep", "600")).trim()
  expect(await skiff.ok("kube", "exec", "web", "--", "hostname")).toBe("web")
  it.objects.delete("pods", "web", "default")
  await it.until(() => it.pod("web") === undefined)
  expect(await skiff.ok("ps", "-q", "--no-trunc")).toContain(id)
  await skiff.ok("rm", "-ft", "0", "stranger")
  await it.clear()
}, 60_000)
