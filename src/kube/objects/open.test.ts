import { afterAll, beforeEach, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { Database } from "../../base/database.ts"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import type { KubeObject } from "../kube-object.ts"
import type { KubeObjects } from "./objects.ts"
import { openObjects } from "./open.ts"
import { kubeSchema } from "./schema.ts"

const root = tempDirectory("skiff-kube-objects-")
let file = 0
let db: Database
let objects: KubeObjects
let other: KubeObjects
const open: Database[] = []

function openDatabase(path: string): Database {
  const database = new Database(path)
  database.migrate([kubeSchema])
  open.push(database)
  return database
}

beforeEach(() => {
  const path = `${root}/${file++}.db`
  db = openDatabase(path)
  objects = openObjects({ db, root })
  other = openObjects({ db: openDatabase(path), root })
})
afterAll(() => {
  for (const database of open) database[Symbol.dispose]()
})

const pod = (name: string, extra: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...extra },
  spec: { containers: [{ name: "main", image: "busybox" }] },
})

test("a created object has what the server gives it, and another process reads it", () => {
  const made = objects.create("pods", pod("web"))
  expect(made.metadata).toMatchObject({ name: "web", namespace: "default", generation: 1 })
  expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
  expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  expect(other.get("pods", "web", "default")).toEqual(made)
  expect(() => objects.create("pods", pod("web"))).toThrow('pods "web" already exists')
  expect(() => objects.create("pods", pod("web", { namespace: "gone" }))).toThrow('namespaces "gone" not found')
  expect(objects.list("namespaces").items.map(({ metadata }) => metadata.name)).toEqual([
    "default",
    "kube-node-lease",
    "kube-public",
    "kube-system",
  ])
})

test("generateName makes names of chance", () => {
  const names = [1, 2, 3].map(() => objects.create("pods", pod("", { generateName: "web-" })).metadata.name)
  expect(new Set(names).size).toBe(3)
  for (const name of names) expect(name).toMatch(/^web-[a-z0-9]{5}$/)
})

test("an update of what is no longer the newest is refused, and one that changes nothing is none", () => {
  const made = objects.create("pods", pod("web"))
  const labelled = objects.update("pods", { ...made, metadata: { ...made.metadata, labels: { a: "b" } } })
  expect(labelled.metadata.generation).toBe(1)
  expect(() => objects.update("pods", made)).toThrow("the object has been modified")
  expect(objects.update("pods", labelled).metadata.resourceVersion).toBe(labelled.metadata.resourceVersion)
  const changed = objects.update("pods", { ...labelled, spec: { ...(labelled["spec"] as object), nodeName: "here" } })
  expect(changed.metadata.generation).toBe(2)
})

test("labels of which none is left are not said", () => {
  const made = objects.create("pods", pod("web", { labels: { a: "b" }, annotations: {} }))
  expect(made.metadata.annotations).toBeUndefined()
  const bare = objects.update("pods", { ...made, metadata: { ...made.metadata, labels: {} } })
  expect("labels" in bare.metadata).toBe(false)
  expect(objects.update("pods", { ...bare, metadata: { ...bare.metadata, labels: {} } })).toEqual(bare)
})

test("the status is written by updateStatus alone, and nothing else is", () => {
  const made = objects.create("pods", pod("web"))
  const running = objects.updateStatus("pods", { ...made, spec: {}, status: { phase: "Running" } })
  expect(running["spec"]).toEqual(made["spec"])
  expect(running["status"]).toEqual({ phase: "Running" })
  const updated = objects.update("pods", { ...running, status: { phase: "Failed" } })
  expect(updated["status"]).toEqual({ phase: "Running" })
})

test("a pod is marked until the node agent says that it has ended; finalizers hold what is deleted", () => {
  objects.create("pods", pod("web"))
  const marked = objects.delete("pods", "web")
  expect(marked.metadata).toMatchObject({ deletionGracePeriodSeconds: 30 })
  expect(objects.find("pods", "web")).toBeDefined()
  objects.delete("pods", "web", "default", { graceSeconds: 0 })
  expect(objects.find("pods", "web")).toBeUndefined()

  const held = objects.create("configmaps", {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "held", finalizers: ["example.org/hold"] },
  })
  objects.delete("configmaps", "held")
  const now = objects.get("configmaps", "held")
  expect(now.metadata.deletionTimestamp).toBeDefined()
  objects.update("configmaps", { ...now, metadata: { ...now.metadata, finalizers: [] } })
  expect(objects.find("configmaps", "held")).toBeUndefined()
  expect(() => objects.delete("configmaps", held.metadata.name)).toThrow('configmaps "held" not found')
})

test("a watch gives each change once, in order, of this and another process, from where it was asked", async () => {
  const before = objects.create("pods", pod("zero")).metadata.resourceVersion
  await using watch = objects.watch({ resources: ["pods"], since: before })
  other.create("pods", pod("one"))
  other.create("configmaps", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "no pod" } })
  objects.patch("pods", "one", "default", (current) => ({
    ...current,
    metadata: { ...current.metadata, labels: { x: "y" } },
  }))
  other.delete("pods", "one", "default", { graceSeconds: 0 })
  const seen: string[] = []
  for await (const { type, object } of watch) {
    seen.push(`${type} ${object.metadata.name}`)
    if (seen.length === 3) break
  }
  expect(seen).toEqual(["ADDED one", "MODIFIED one", "DELETED one"])
})

test("a watch from what is no longer kept says so", () => {
  db.transaction(() => {
    for (let made = 0; made < 5501; made++)
      objects.create("configmaps", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `c${made}` } })
  })
  expect(() => objects.watch({ since: "3" })).toThrow("too old resource version: 3")
})

test("clear removes what finalizers and graces hold, too, and watchers hear of it", async () => {
  objects.create("pods", pod("web", { finalizers: ["example.org/hold"] }))
  await using watch = other.watch({ resources: ["pods"] })
  objects.clear()
  expect(objects.needsControl()).toBe(false)
  expect((await watch.next()).value).toMatchObject({ type: "DELETED", object: { metadata: { name: "web" } } })
})

test("what a Secret holds is in no file in clear", () => {
  objects.create("secrets", {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "password" },
    stringData: { word: "correct-horse-battery" },
  })
  expect(other.get("secrets", "password")["stringData"]).toEqual({ word: "correct-horse-battery" })
  for (const name of [db.path, `${db.path}-wal`]) expect(readFileSync(name).includes("correct-horse")).toBe(false)
})

test("a kind that is defined is kept like any other, and what is at rest needs no control", () => {
  expect(objects.needsControl()).toBe(false)
  objects.create("customresourcedefinitions.apiextensions.k8s.io", {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "boats.example.org" },
    spec: {
      group: "example.org",
      scope: "Namespaced",
      names: { kind: "Boat", plural: "boats", shortNames: ["bt"] },
      versions: [{ name: "v1", served: true, storage: true }],
    },
  })
  expect(objects.needsControl()).toBe(false)
  const boat = objects.create("boats.example.org", {
    apiVersion: "example.org/v1",
    kind: "Boat",
    metadata: { name: "skiff" },
  })
  expect(boat).toMatchObject({ apiVersion: "example.org/v1", kind: "Boat", metadata: { namespace: "default" } })
  objects.create("pods", pod("web"))
  expect(objects.needsControl()).toBe(true)
  expect(() => objects.create("planes.example.org", pod("x"))).toThrow("planes.example.org")
})
