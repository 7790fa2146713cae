/** Whatever a file says, it is translated or refused by name, soon. */
import { expect, test } from "bun:test"
import {
  anything,
  assert,
  constantFrom,
  dictionary,
  integer,
  letrec,
  oneof,
  property,
  string,
  type Arbitrary,
} from "fast-check"
import type { Pod } from "kubernetes-types/core/v1"
import { SkiffError } from "../../base/errors.ts"
import { checkObject } from "../read/check-object.ts"
import { fieldsOf, isShape, type ShapeName } from "../read/object-shapes.ts"
import { readDocuments, type Json } from "../read/read-documents.ts"
import { translatePod } from "./translate-pod.ts"

const NASTY = [
  "..",
  "../x",
  "/",
  "a/b",
  "\0",
  "__proto__",
  "constructor",
  "$(A)",
  "$(",
  "9e99",
  "-1",
  "1Mi",
  "::",
  "a:b:c",
]
const WORDS = ["a", "always", "Never", "TCP", "Memory", "File", "Localhost", "80", "metadata.name", "limits.cpu", "x=y"]

/** Values of a type of the table, mostly of that type. */
function valueOf(type: string, depth: number): Arbitrary<unknown> {
  if (depth > 6) return constantFrom(null, "deep")
  const own = (): Arbitrary<unknown> => {
    if (type.startsWith("[]")) return oneof(valueOf(type.slice(2), depth + 1)).map((one) => [one])
    if (type.startsWith("{}"))
      return dictionary(constantFrom(...NASTY, ...WORDS), valueOf(type.slice(2), depth + 1), { maxKeys: 3 })
    if (isShape(type)) return objectOf(type, depth + 1)
    if (type === "boolean") return constantFrom(true, false)
    if (type === "integer") return oneof(integer(), constantFrom(0, 80, 420, 2 ** 53))
    return oneof(constantFrom(...NASTY, ...WORDS), string({ maxLength: 8 }))
  }
  return oneof({ weight: 12, arbitrary: own() }, { weight: 1, arbitrary: anything({ maxDepth: 1 }) })
}

const made = new Map<string, Arbitrary<unknown>>()

function objectOf(shape: ShapeName, depth: number): Arbitrary<unknown> {
  const key = `${shape} ${depth}`
  const known = made.get(key)
  if (known) return known
  const fields = [...fieldsOf(shape)]
  const { object } = letrec(() => ({
    object: dictionary(constantFrom(...fields.map(([name]) => name)), constantFrom(null), {
      minKeys: 1,
      maxKeys: 4,
    }).chain((chosen) => {
      const names = Object.keys(chosen)
      return names.reduce<Arbitrary<Record<string, unknown>>>(
        (all, name) =>
          all.chain((values) =>
            valueOf(fieldsOf(shape).get(name) ?? "any", depth + 1).map((value) =>
              Object.assign({}, values, { [name]: value }),
            ),
          ),
        constantFrom({}),
      )
    }),
  }))
  made.set(key, object)
  return object
}

test("a pod of any fields with any values", () => {
  const container = objectOf("Container", 0)
  const spec = objectOf("PodSpec", 0)
  let translated = 0
  assert(
    property(spec, container, (anySpec, anyContainer) => {
      const whole = {
        metadata: { name: "p", labels: { a: "b" } },
        spec: {
          ...(anySpec as object),
          containers: [{ image: "x", ...(anyContainer as object), name: "c" }],
        },
      }
      try {
        const [document] = readDocuments(Buffer.from(JSON.stringify(whole)), "any.json")
        translatePod({
          pod: checkObject(document?.value as Json, "Pod").value as Pod,
          sources: {
            configMap: () => ({ data: { a: "b", "..": "c" } }),
            secret: (name) => (name === "a" ? { data: { a: "Yg==" } } : undefined),
            claim: (name) => ({ volume: name, copyUp: true }),
            image: () => ({ User: "root", Env: ["A=b"] }),
          },
          facts: { uid: "u", namespace: "n", nodeName: "n", hostIps: [], cpus: 1, memoryBytes: 1 },
          volumeName: (name) => name,
        })
        translated++
      } catch (error) {
        if (!(error instanceof SkiffError)) throw error
        expect(error.message.length).toBeLessThan(2000)
      }
    }),
    { numRuns: 3000 },
  )
  expect(translated).toBeGreaterThan(50)
}, 60_000)
