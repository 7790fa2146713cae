import { expect, test } from "bun:test"
import { debugCopy, type CopyRequest } from "./debug-copy.ts"

const pod = {
  metadata: {
    name: "web",
    namespace: "shop",
    uid: "1",
    labels: { app: "web" },
    ownerReferences: [{ kind: "ReplicaSet" }],
  },
  spec: {
    nodeName: "here",
    containers: [
      { name: "main", image: "web:1", command: ["web"], args: ["-q"], livenessProbe: {}, readinessProbe: {} },
      { name: "side", image: "side:1" },
    ],
    ephemeralContainers: [{ name: "look" }],
  },
  status: { phase: "Running" },
}

const plain: CopyRequest = {
  name: "copy",
  images: {},
  words: [],
  argumentsOnly: false,
  env: [],
  stdin: false,
  tty: false,
  sameNode: false,
  shareProcesses: true,
  keepLabels: false,
  keepAnnotations: false,
  keepLiveness: false,
  keepReadiness: false,
  keepStartup: false,
  keepInitContainers: true,
}

test("a copy is nobody's: without labels, owner, probes, node and what was added to look into the first", () => {
  expect(debugCopy(pod, { ...plain, images: { "*": "busybox" } })).toEqual({
    container: "main",
    pod: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "copy" },
      spec: {
        containers: [
          { name: "main", image: "busybox", command: ["web"], args: ["-q"] },
          { name: "side", image: "busybox" },
        ],
        shareProcessNamespace: true,
      },
    },
  })
})

test("a container's program is another one, and its arguments are not the old ones", () => {
  const { pod: copy } = debugCopy(pod, {
    ...plain,
    container: "main",
    words: ["sh"],
    stdin: true,
    sameNode: true,
    keepLiveness: true,
  })
  expect(copy["spec"]).toMatchObject({
    nodeName: "here",
    containers: [{ name: "main", image: "web:1", command: ["sh"], stdin: true, livenessProbe: {} }, { name: "side" }],
  })
  expect(JSON.stringify(copy)).not.toContain("-q")
})

test("an image adds a container beside the pod's own", () => {
  const { pod: copy, container } = debugCopy(pod, { ...plain, image: "busybox", keepLabels: true })
  expect(container).toMatch(/^debugger-[0-9a-f]{5}$/)
  expect(copy).toMatchObject({
    metadata: { name: "copy", labels: { app: "web" } },
    spec: { containers: [{ name: "main" }, { name: "side" }, { name: container, image: "busybox" }] },
  })
})

test("containers that are not there are refused", () => {
  expect(() => debugCopy(pod, { ...plain, images: { other: "x" } })).toThrow('unable to find container named "other"')
  expect(() => debugCopy(pod, { ...plain, container: "other" })).toThrow("an existing container or a new image")
})
