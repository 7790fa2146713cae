/** From a directory to pods that are ready: built, pushed, tried, applied, waited for, rolled back. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openTestObjects, type TestObjects } from "../support/kube.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
let it: TestObjects
const directory = join(skiff.directory, "deploy")
beforeAll(async () => {
  await skiff.ok("ps", "-q")
  it = openTestObjects(skiff)
  mkdirSync(join(directory, "web"), { recursive: true })
})
afterEach(() => it.clear(), 60_000)
afterAll(() => it[Symbol.dispose]())

const file = join(directory, "web.yaml")
function write(script: string, { image = "localhost/web:1", build = "web", port = "80" } = {}): void {
  writeFileSync(join(directory, "web", "Dockerfile"), `FROM busybox\nCMD ["sh", "-c", "${script}"]\n`)
  writeFileSync(
    file,
    `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {skiff.dev/build: "${build}"}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: "${image}"
        imagePullPolicy: IfNotPresent
        ports: [{containerPort: ${port}}]
        # what only runs for a moment is not ready
        readinessProbe: {exec: {command: [test, -e, /ready]}, periodSeconds: 1}
`,
  )
}
const RUNS = "touch /ready; echo one; while :; do sleep 0.1; done"
const logs = () => skiff.ok("kube", "logs", "deploy/web")

test("what is built is run, built anew is rolled out, and what fails is told of and rolled back", async () => {
  write(RUNS)
  expect(await skiff.ok("kube", "deploy", "-f", file)).toContain('deployment "web" successfully rolled out')
  expect(await logs()).toBe("one")
  write(RUNS.replace("one", "two"))
  await skiff.ok("kube", "deploy", "-f", file)
  await skiff.ok("kube", "wait", "--for=condition=Available", "deploy/web", "--timeout", "30s")
  expect(await logs()).toContain("two")
  write("echo broken; exit 3")
  const failed = await skiff.run(["kube", "deploy", "-f", file, "--timeout", "6s", "--rollback"])
  expect(failed.code).toBe(1)
  expect(failed.stderr).toContain("deployment.apps/web is not rolled out: timed out")
  expect(failed.stderr).toMatch(/web-\S+\/main: (?:CrashLoopBackOff|Error)/)
  expect(failed.stderr).toContain("deployment.apps/web rolled back")
  await skiff.ok("kube", "rollout", "status", "deploy/web", "--timeout", "30s")
}, 120_000)

test("what is pushed is named by the digest that the registry gave", async () => {
  const registry = await sharedRegistry()
  write(RUNS, { image: `${registry.host}/team/web:1` })
  const flags = ["--push", "--tls-verify=false"]
  await skiff.ok("kube", "deploy", "-f", file, ...flags, "--timeout", "60s")
  const image = await skiff.ok("kube", "get", "deploy/web", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
  expect(image).toMatch(new RegExp(`^${registry.host}/team/web@sha256:[0-9a-f]{64}$`))
}, 90_000)

test("a set with a fault is not applied, and a directory that is not beside it is not built", async () => {
  write(RUNS, { port: "99999" })
  const { code, stderr } = await skiff.run(["kube", "deploy", "-f", file])
  expect([code, stderr]).toEqual([1, expect.stringContaining("nothing was applied")])
  expect(it.objects.find("deployments.apps", "web", "default")).toBeUndefined()
  write(RUNS, { build: "../.." })
  expect((await skiff.run(["kube", "deploy", "-f", file])).stderr).toContain("is not beside or below the manifest")
}, 60_000)
