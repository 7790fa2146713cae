/**
 * Makes src/cri/protocol/descriptor.ts and messages.ts of the CRI's api.proto, which Debian's golang-k8s-cri-api-dev brings:
 *
 *   bun scripts/cri-protocol.ts /usr/share/gocode/src/k8s.io/cri-api/pkg/apis/runtime/v1/api.proto
 *
 * The descriptor is what protobufjs reads; the executable has no .proto beside it.
 */
import { readFileSync, writeFileSync } from "node:fs"
import protobuf from "protobufjs"

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error("usage: bun scripts/cri-protocol.ts FILE.proto")
const { root } = protobuf.parse(readFileSync(file, "utf8"), { keepCase: true })
const directory = `${import.meta.dirname}/../src/cri/protocol`
const MADE = "/** Made by scripts/cri-protocol.ts of the CRI's api.proto (Kubernetes, Apache-2.0); not to be edited. */"

const SCALARS: Record<string, string> = {
  string: "string",
  bool: "boolean",
  bytes: "Uint8Array",
  double: "number",
  int32: "number",
  uint32: "number",
  // beyond what a JS number holds
  int64: "string",
  uint64: "string",
}

const lines: string[] = [MADE, ""]

function typeOf(name: string): string {
  return SCALARS[name] ?? name.split(".").at(-1) ?? name
}

function fieldType(field: protobuf.Field): string {
  const type = typeOf(field.type)
  if (field instanceof protobuf.MapField) return `Readonly<Record<string, ${type}>>`
  if (field.repeated) return `readonly ${type}[]`
  const resolved = field.resolve().resolvedType
  return resolved instanceof protobuf.Type ? `${type} | null` : type
}

function walk(namespace: protobuf.NamespaceBase): void {
  for (const one of namespace.nestedArray) {
    if (one instanceof protobuf.Enum)
      lines.push(
        `export type ${one.name} = ${Object.keys(one.values)
          .map((name) => JSON.stringify(name))
          .join(" | ")}`,
        "",
      )
    if (one instanceof protobuf.Type) {
      if (one.fieldsArray.length === 0) lines.push(`export type ${one.name} = Readonly<Record<string, never>>`, "")
      else
        lines.push(
          `export interface ${one.name} {`,
          ...one.fieldsArray.map((field) => `  ${field.name}: ${fieldType(field)}`),
          "}",
          "",
        )
      walk(one)
    }
    if (one instanceof protobuf.Service) {
      lines.push(
        `/** Its calls: what is asked, what is answered, and whether in many messages. */`,
        `export interface ${one.name}Calls {`,
        ...one.methodsArray.map(
          (method) =>
            `  ${method.name}: { request: ${method.requestType}; response: ${method.responseType}; isStream: ${method.responseStream === true} }`,
        ),
        "}",
        "",
      )
    }
    if (one.constructor === protobuf.Namespace) walk(one as protobuf.Namespace)
  }
}

walk(root)
writeFileSync(`${directory}/messages.ts`, `${lines.join("\n").trimEnd()}\n`)
const json = JSON.stringify(root.toJSON({ keepComments: false }))
writeFileSync(
  `${directory}/descriptor.ts`,
  `${MADE}\n\n/** As protobufjs writes a root, as JSON. */\nexport const DESCRIPTOR = ${JSON.stringify(json)}\n`,
)
