import { describe, expect, test } from "bun:test"
import { decodeProtobuf } from "./decode.ts"

/** One field of a message: bytes, texts, messages, numbers. */
function field(number: number, value: Uint8Array | string | number): Buffer {
  if (typeof value === "number") return Buffer.concat([varint(number << 3), varint(value)])
  const bytes = Buffer.from(value)
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}

const message = (...fields: Buffer[]): Buffer => Buffer.concat(fields)
const envelope = (apiVersion: string, kind: string, raw: Uint8Array): Buffer =>
  message(Buffer.from("k8s\0"), field(1, message(field(1, apiVersion), field(2, kind))), field(2, raw))
const meta = (name: string): Buffer =>
  message(field(1, name), field(2, ""), field(8, ""), field(11, message(field(1, "app"), field(2, name))))

test("a Secret as helm sends it", () => {
  const raw = message(
    field(1, meta("s")),
    field(2, message(field(1, "release"), field(2, "bytes"))),
    field(3, "helm.sh/release.v1"),
  )
  expect(decodeProtobuf(envelope("v1", "Secret", raw))).toEqual({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", labels: { app: "s" } },
    data: { release: Buffer.from("bytes").toString("base64") },
    type: "helm.sh/release.v1",
  })
})

test("numbers, quantities, embedded structures, and what is nothing", () => {
  const quantity = message(field(1, "cpu"), field(2, message(field(1, "100m"))))
  const port = message(field(1, 1), field(2, 0), field(3, "http"))
  const probe = message(field(1, message(field(2, message(field(1, "/"), field(2, port))))), field(2, 5), field(3, 0))
  const container = message(
    field(1, "main"),
    field(2, "web:1"),
    field(8, message(field(1, quantity))),
    field(10, probe),
    field(18, 0),
  )
  const template = message(field(1, meta("t")), field(2, message(field(2, container), field(3, "Always"))))
  const deployment = message(
    field(1, meta("d")),
    field(2, message(field(1, 0), field(3, template), field(5, 0), field(7, 0))),
  )
  expect(decodeProtobuf(envelope("apps/v1", "Deployment", deployment))).toMatchObject({
    spec: {
      replicas: 0,
      template: {
        spec: {
          restartPolicy: "Always",
          containers: [
            {
              name: "main",
              image: "web:1",
              resources: { limits: { cpu: "100m" } },
              livenessProbe: { httpGet: { path: "/", port: "http" }, initialDelaySeconds: 5 },
            },
          ],
        },
      },
    },
  })
})

describe("what is no such message is refused by name", () => {
  test.each<[string, Uint8Array]>([
    ["no envelope", Buffer.from("{}")],
    ["cut off", envelope("v1", "Secret", meta("x")).subarray(0, 20)],
    ["a length beyond the end", envelope("v1", "Secret", Buffer.from([0x0a, 0xff, 0xff, 0x7f]))],
    ["a number without an end", envelope("v1", "Secret", Buffer.alloc(12, 0xff))],
    ["a group", envelope("v1", "Secret", Buffer.from([0x0b]))],
    ["a kind that is not known", envelope("example.org/v1", "Boat", Buffer.alloc(0))],
  ])("%s", (_what, bytes) => expect(() => decodeProtobuf(bytes)).toThrow(/body of the request/))

  test("one that stands in itself for ever", () => {
    // `not` of a schema would; ownerReferences, managedFields cannot: a selector's depth is bounded by its message
    let bytes = message(field(1, "x"))
    for (let depth = 0; depth < 500; depth++) bytes = field(1, bytes)
    expect(decodeProtobuf(envelope("v1", "ConfigMap", bytes))).toMatchObject({ kind: "ConfigMap" })
  })
})
