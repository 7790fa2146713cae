import { expect, test } from "bun:test"
import { testApis } from "../api/api.suite.ts"
import type { StoredObject } from "../objects/objects.ts"
import { Cluster } from "./cluster.ts"

const open = testApis()
const PATH = "/apis/apps/v1/namespaces/default/deployments/web"

const applied = (replicas: number): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "main", image: "x" }] } },
  },
})

test("what a controller changes is its own from then on: whoever applies it again is told of a conflict", async () => {
  const { ask, objects } = open()
  const apply = (replicas: number): ReturnType<typeof ask> =>
    ask("PATCH", `${PATH}?fieldManager=me`, { body: applied(replicas), contentType: "application/apply-patch+yaml" })
  expect((await apply(1)).status).toBe(201)
  const cluster = new Cluster(objects)
  const web = objects.get("deployments.apps", "web", "default")
  cluster.patch("deployments.apps", web, (current) => ({
    ...current,
    spec: { ...((current as StoredObject)["spec"] as object), replicas: 3 },
  }))
  expect(objects.get("deployments.apps", "web", "default").metadata.managedFields).toMatchObject([
    { manager: "me", operation: "Apply" },
    { manager: "kube-controller-manager", operation: "Update", fieldsV1: { "f:spec": { "f:replicas": {} } } },
  ])
  const conflict = await apply(1)
  expect(conflict).toMatchObject({ status: 409, body: { details: { causes: [{ field: ".spec.replicas" }] } } })
  // as an autoscaler does, and as a cluster calls it
  cluster.patch(
    "deployments.apps",
    web,
    (current) => ({ ...current, spec: { ...((current as StoredObject)["spec"] as object), replicas: 4 } }),
    "scale",
  )
  expect(await apply(1)).toMatchObject({
    body: { message: expect.stringContaining('"kube-controller-manager" with subresource "scale" using apps/v1') },
  })
  // nothing is written where nothing changes
  const version = objects.resourceVersion()
  cluster.patch("deployments.apps", web, (current) => ({ ...current }))
  expect(objects.resourceVersion()).toBe(version)
})
