import { describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { tempDirectory } from "../../../../test/support/temp-directory.ts"
import { kustomize } from "./kustomize.ts"

const root = tempDirectory("skiff-kustomize-")
let count = 0

function directory(files: Readonly<Record<string, string>>): string {
  const path = join(root, `${count++}`)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return path
}
const build = (path: string): ReturnType<typeof kustomize> =>
  kustomize(path, () => Promise.reject(new Error("nothing is fetched")))

const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: nginx:1
        envFrom: [{configMapRef: {name: conf}}, {secretRef: {name: pw}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`
const BASE = `
resources: [web.yaml]
configMapGenerator: [{name: conf, literals: [mode=test, "html=<b>&"]}]
secretGenerator: [{name: pw, literals: [word=secret]}]
labels: [{pairs: {team: shop}, includeSelectors: true}]
`

test("a base and what lies over it come to what kubectl 1.35 makes of them", async () => {
  const path = directory({
    "base/kustomization.yaml": BASE,
    "base/web.yaml": WEB,
    "over/kustomization.yaml": `
resources: [../base]
namespace: staging
namePrefix: s-
images: [{name: nginx, newTag: "2"}]
replicas: [{name: web, count: 3}]
commonAnnotations: {note: hi}
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec: {template: {spec: {containers: [{name: main, env: [{name: A, value: b}]}]}}}
- target: {kind: Service}
  patch: |-
    - {op: replace, path: /spec/ports/0/port, value: 8080}
`,
  })
  const objects = await build(join(path, "over"))
  const find = (kind: string) => objects.find((object) => object["kind"] === kind)
  const labels = { team: "shop" }
  const metadata = (name: string) => ({ name, namespace: "staging", labels, annotations: { note: "hi" } })
  expect(find("ConfigMap")).toMatchObject({
    metadata: metadata("s-conf-7f6md465g2"),
    data: { mode: "test", html: "<b>&" },
  })
  expect(find("Secret")).toMatchObject({
    metadata: metadata("s-pw-ch652tdt5b"),
    data: { word: "c2VjcmV0" },
    type: "Opaque",
  })
  expect(find("Service")).toMatchObject({
    metadata: metadata("s-web"),
    spec: { selector: { app: "web", team: "shop" }, ports: [{ port: 8080 }] },
  })
  expect(find("Deployment")).toMatchObject({
    metadata: metadata("s-web"),
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "web", team: "shop" } },
      template: {
        metadata: { labels: { app: "web", team: "shop" }, annotations: { note: "hi" } },
        spec: {
          containers: [
            {
              name: "main",
              image: "nginx:2",
              env: [{ name: "A", value: "b" }],
              envFrom: [{ configMapRef: { name: "s-conf-7f6md465g2" } }, { secretRef: { name: "s-pw-ch652tdt5b" } }],
            },
          ],
        },
      },
    },
  })
})

async function kindsOf(more: string): Promise<unknown[]> {
  const kustomization = `resources: [web.yaml]\nconfigMapGenerator: [{name: a}]\n${more}`
  return (await build(directory({ "kustomization.yaml": kustomization, "web.yaml": WEB }))).map(({ kind }) => kind)
}

test("objects come in kustomize's order, or by fifo in their own", async () => {
  expect(await kindsOf("")).toEqual(["ConfigMap", "Service", "Deployment"])
  expect(await kindsOf("sortOptions: {order: fifo}")).toEqual(["Deployment", "Service", "ConfigMap"])
})

describe("what a stranger's kustomization may not", () => {
  test.each<[string, Record<string, string>, string]>([
    [
      "read beside itself",
      { "kustomization.yaml": "configMapGenerator: [{name: c, files: [../../../../etc/passwd]}]" },
      "not in or below",
    ],
    ["read elsewhere", { "kustomization.yaml": "resources: [/etc/passwd]" }, "not in or below"],
    [
      "stand in itself",
      { "kustomization.yaml": "resources: [a]", "a/kustomization.yaml": "resources: [..]" },
      "a cycle of kustomizations",
    ],
    ["fetch a repository", { "kustomization.yaml": "resources: [github.com/a/b]" }, "remote base"],
    ["run programs", { "kustomization.yaml": "generators: [x.yaml]" }, '"generators"'],
    [
      "patch what is not there",
      { "kustomization.yaml": "patches: [{patch: '{apiVersion: v1, kind: Pod, metadata: {name: x}}'}]" },
      "no matches for Id",
    ],
    ["be nothing", {}, "unable to find one of"],
  ])("%s", async (_what, files, message) => {
    mkdirSync(join(root, `${count}`), { recursive: true })
    await expect(build(directory(files))).rejects.toThrow(message)
  })
})
