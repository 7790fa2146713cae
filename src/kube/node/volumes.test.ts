import { describe, expect, test } from "bun:test"
import type { Pod } from "kubernetes-types/core/v1"
import { checkObject } from "../read/check-object.ts"
import { readDocuments, type Json } from "../read/read-documents.ts"
import type { NodePod } from "./node-pod.ts"
import { translatePod } from "./translate-pod.ts"

function translate(volumes: string, mounts: string, spec = ""): NodePod {
  const text = `metadata: {name: p, labels: {a: b, c: "d\\"e"}}
spec:
  ${spec}
  volumes: ${volumes}
  containers: [{name: c, image: x, env: [{name: DIR, value: deep}, {name: UP, value: ..}], volumeMounts: ${mounts}}]`
  const [document] = readDocuments(Buffer.from(text), "pod.yaml")
  return translatePod({
    pod: checkObject(document?.value as Json, "Pod").value as Pod,
    sources: {
      configMap: (name) =>
        name === "settings" ? { data: { "app.conf": "x=1", other: "2" }, binaryData: { blob: "AAE=" } } : undefined,
      secret: (name) => (name === "login" ? { stringData: { pass: "s3cret" } } : undefined),
      claim: (name) => ({ volume: name, copyUp: true }),
      image: (name) => (name === "auto" ? { Volumes: { "/etc/data": {} } } : {}),
    },
    facts: { uid: "u", namespace: "ns", nodeName: "n", hostIps: [], cpus: 1, memoryBytes: 1 },
    volumeName: (name) => `p-${name}`,
  })
}

const mountsOf = (made: NodePod) => made.containers[0]?.options.mounts
const filesOf = (made: NodePod) => {
  const [volume] = made.volumes
  return volume?.kind === "files"
    ? volume.files.map(({ name, data, mode }) => [name, Buffer.from(data).toString(), mode.toString(8)])
    : undefined
}

test("an emptyDir is a volume of the pod's own, in memory or bounded where it says so", () => {
  const made = translate(
    "[{name: a, emptyDir: {}}, {name: m, emptyDir: {medium: Memory, sizeLimit: 1Mi}}]",
    "[{name: a, mountPath: /a}, {name: m, mountPath: /m, readOnly: true, subPath: s}]",
    "securityContext: {fsGroup: 7}",
  )
  expect(made.volumes).toEqual([
    { kind: "empty", name: "a", path: "spec.volumes[0]", volume: "p-a", inMemory: false, groupId: 7, subpaths: [] },
    {
      kind: "empty",
      name: "m",
      path: "spec.volumes[1]",
      volume: "p-m",
      inMemory: true,
      sizeLimitBytes: 2 ** 20,
      groupId: 7,
      subpaths: ["s"],
    },
  ])
  expect(mountsOf(made)).toEqual([
    { type: "volume", source: "p-a", isAnonymous: true, copyUp: false, target: "/a", readOnly: false },
    { type: "volume", source: "p-m", isAnonymous: true, copyUp: false, target: "/m", readOnly: true, subpath: "s" },
  ])
})

test("a hostPath is bound with its propagation and podman's words; a device is a device", () => {
  const made = translate(
    "[{name: d, hostPath: {path: /srv, type: Directory}}, {name: k, hostPath: {path: /dev/kvm, type: CharDevice}}, {name: v, hostPath: {path: named}}]",
    '[{name: d, mountPath: "/d:ro,z,noexec", mountPropagation: HostToContainer, subPath: x/y}, {name: k, mountPath: /dev/k}, {name: v, mountPath: "/v:U"}]',
  )
  expect(made.volumes).toEqual([
    { kind: "host", name: "d", path: "spec.volumes[0]", hostPath: "/srv", type: "Directory", subpaths: ["x/y"] },
    { kind: "host", name: "k", path: "spec.volumes[1]", hostPath: "/dev/kvm", type: "CharDevice", subpaths: [] },
    { kind: "claim", name: "v", path: "spec.volumes[2]", volume: "named", copyUp: true, readOnly: false, subpaths: [] },
  ])
  expect(mountsOf(made)).toEqual([
    {
      type: "bind",
      source: "/srv",
      target: "/d",
      readOnly: true,
      createSource: false,
      propagation: "rslave",
      subpath: "x/y",
      options: ["noexec"],
    },
    { type: "volume", source: "named", target: "/v", readOnly: false, copyUp: true, chown: true },
  ])
  expect(made.containers[0]?.options.devices).toEqual([
    { hostPath: "/dev/kvm", containerPath: "/dev/k", permissions: "rwm" },
  ])
})

test("a configMap is files of all its keys, or of those that are named", () => {
  const mount = "[{name: f, mountPath: /f}]"
  expect(filesOf(translate("[{name: f, configMap: {name: settings, defaultMode: 0440}}]", mount))).toEqual([
    ["app.conf", "x=1", "440"],
    ["other", "2", "440"],
    ["blob", "\0\u0001", "440"],
  ])
  const items = "[{name: f, configMap: {name: settings, items: [{key: other, path: a/b, mode: 0600}]}}]"
  expect(filesOf(translate(items, mount))).toEqual([["a/b", "2", "600"]])
  expect(filesOf(translate("[{name: f, configMap: {name: none, optional: true}}]", mount))).toEqual([])
})

test("a projected volume is one directory of several sources", () => {
  const made = translate(
    `[{name: f, projected: {defaultMode: 0400, sources: [
      {configMap: {name: settings, items: [{key: other, path: o}]}},
      {secret: {name: login}},
      {downwardAPI: {items: [
        {path: labels, fieldRef: {fieldPath: metadata.labels}},
        {path: cpu, resourceFieldRef: {containerName: c, resource: limits.cpu}}]}},
      {serviceAccountToken: {path: token}}]}}]`,
    "[{name: f, mountPath: /f}]",
  )
  expect(filesOf(made)).toEqual([
    ["o", "2", "400"],
    ["pass", "s3cret", "400"],
    ["labels", 'a="b"\nc="d\\"e"', "400"],
    ["cpu", "1", "400"],
  ])
  expect(made.warnings.map(({ path }) => path)).toEqual(["spec.volumes[0].projected.sources[3].serviceAccountToken"])
  expect(mountsOf(made)).toMatchObject([{ readOnly: true, isAnonymous: true }])
})

test("an image and a claim are mounted by name; a part may be named by a variable", () => {
  const made = translate(
    "[{name: i, image: {reference: base, pullPolicy: Never}}, {name: c, persistentVolumeClaim: {claimName: data, readOnly: true}}]",
    '[{name: i, mountPath: /i}, {name: c, mountPath: /c, subPathExpr: "$(DIR)/x"}]',
  )
  expect(made.volumes[0]).toEqual({
    kind: "image",
    name: "i",
    path: "spec.volumes[0]",
    reference: "base",
    pull: "never",
  })
  expect(mountsOf(made)).toEqual([
    { type: "image", source: "base", target: "/i", readOnly: true },
    { type: "volume", source: "data", target: "/c", readOnly: true, copyUp: true, subpath: "deep/x" },
  ])
})

describe("is refused, with its path:", () => {
  test.each<[string, string, string]>([
    ["[]", "[{name: a, mountPath: /a}]", "spec.containers[0].volumeMounts[0].name: volume mount a specified"],
    ["[{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]", "[]", "spec.volumes[1].name"],
    ["[{name: a/b, emptyDir: {}}]", "[]", "spec.volumes[0].name"],
    ["[{name: a, nfs: {server: x, path: /}}]", "[]", "spec.volumes[0].nfs"],
    ["[{name: a}]", "[]", "spec.volumes[0].nothing"],
    ["[{name: a, hostPath: {path: /x, type: Odd}}]", "[]", "spec.volumes[0].hostPath.type: invalid HostPath type Odd"],
    ["[{name: a, hostPath: {path: ../x}}]", "[]", "spec.volumes[0].hostPath.path"],
    ["[{name: a, persistentVolumeClaim: {claimName: a/b}}]", "[]", "spec.volumes[0].persistentVolumeClaim.claimName"],
    ["[{name: a, configMap: {name: none}}]", "[]", 'spec.volumes[0].configMap: no such ConfigMap "none"'],
    ["[{name: a, configMap: {name: settings, defaultMode: 4095}}]", "[]", "spec.volumes[0].configMap.defaultMode"],
    [
      "[{name: a, configMap: {name: settings, items: [{key: other, path: ../x}]}}]",
      "[]",
      "spec.volumes[0].configMap.items[0].path",
    ],
    [
      "[{name: a, configMap: {name: settings, items: [{key: other, path: x}, {key: blob, path: x/y}]}}]",
      "[]",
      'spec.volumes[0]: "x" is to be a file and a directory',
    ],
    [
      "[{name: a, emptyDir: {}}]",
      "[{name: a, mountPath: /a, subPath: ../x}]",
      "spec.containers[0].volumeMounts[0].subPath",
    ],
    [
      "[{name: a, emptyDir: {}}]",
      '[{name: a, mountPath: /a, subPathExpr: "$(UP)/x"}]',
      "spec.containers[0].volumeMounts[0].subPathExpr",
    ],
    ["[{name: a, emptyDir: {}}]", "[{name: a, mountPath: a}]", "spec.containers[0].volumeMounts[0].mountPath"],
    ["[{name: a, emptyDir: {}}]", '[{name: a, mountPath: "/a:bad"}]', "spec.containers[0].volumeMounts[0].mountPath"],
    [
      "[{name: a, emptyDir: {}}]",
      "[{name: a, mountPath: /a, mountPropagation: Up}]",
      "spec.containers[0].volumeMounts[0].mountPropagation",
    ],
  ])("volumes %s, mounts %s", (volumes, mounts, expected) => expect(() => translate(volumes, mounts)).toThrow(expected))
})
