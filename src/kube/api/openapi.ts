import { zstdDecompressSync } from "node:zlib"
import type { ApiRequest } from "./api.ts"
import { apiVersionOf, type ResourceKind } from "../objects/kinds.ts"
import type { KubeObjects } from "../objects/objects.ts"
import { at, isTree, listAt, textAt, treeAt, type Tree } from "../field.ts"
import { LEVEL, REVIEWS } from "./discovery.ts"
import { resourcePath } from "./route.ts"
import { DESCRIPTIONS } from "./schema/descriptions.ts"
import { definitionName, findDefinition, kindDefinition, type Definition, type FieldType } from "./schema/schema.ts"
import { noSuchResource, statusError } from "./status.ts"

/** Descriptions by definition and field. */
type Descriptions = ReadonlyMap<string, ReadonlyMap<string, string>>

/**
 * What `/openapi/v2`, `/openapi/v3` and `/openapi/v3/apis/apps/v1` say, made of the schema that requests are read by. Version 2 is there in JSON: its form in
 * protobuf is asked for by clients before kubectl 1.27. Throws NotFound, NotAcceptable.
 */
export function openApi(path: readonly string[], objects: KubeObjects, request?: Pick<ApiRequest, "accept">): unknown {
  const [version, ...place] = path
  const groups = new Map<string, ResourceKind[]>()
  for (const kind of [...objects.kinds(), ...reviewKinds()]) {
    const key = `${kind.group === "" ? "api" : "apis"}/${apiVersionOf(kind)}`
    groups.set(key, [...(groups.get(key) ?? []), kind])
  }
  if (version === "v2" && place.length === 0) {
    if (!takesJson(request?.accept ?? ""))
      throw statusError("Unsupported", "the OpenAPI document of version 2 is served in JSON", {
        reason: "NotAcceptable",
      })
    return secondVersion([...groups.values()].map((kinds) => document(kinds, objects)))
  }
  if (version !== "v3") throw noSuchResource()
  if (place.length === 0)
    return {
      paths: Object.fromEntries(
        [...groups.keys()].map((key) => [
          key,
          { serverRelativeURL: `/openapi/v3/${key}?hash=${groups.get(key)?.length ?? 0}` },
        ]),
      ),
    }
  const own = groups.get(place.join("/"))
  if (own === undefined) throw noSuchResource()
  return document(own, objects)
}

function takesJson(accept: string): boolean {
  return (
    accept === "" ||
    accept.split(",").some((one) => /^\s*(?:application\/json|application\/\*|\*\/\*)\s*(?:;|$)/.test(one))
  )
}

/** What is asked and never kept is described, too: kubectl looks there whether its fields can be checked. */
function reviewKinds(): ResourceKind[] {
  return Object.entries(REVIEWS).flatMap(([groupVersion, entries]) => {
    const [group = "", version = ""] = groupVersion.split("/")
    return entries.flatMap(({ kind, name, namespaced }) =>
      findDefinition(definitionName(group, version, kind)) !== undefined
        ? [
            {
              group,
              version,
              kind,
              plural: name,
              singular: kind.toLowerCase(),
              shortNames: [],
              namespaced,
              hasStatus: false,
            },
          ]
        : [],
    )
  })
}

/** The same in OpenAPI 2.0 (Swagger), which has one document and no alternatives. */
function secondVersion(documents: readonly Tree[]): Tree {
  const definitions: Tree = {}
  const paths: Tree = {}
  for (const one of documents) {
    for (const [name, schema] of Object.entries(treeAt(one, "components", "schemas")))
      definitions[name] = plainSchema(schema)
    for (const [path, operations] of Object.entries(treeAt(one, "paths")))
      paths[path] = Object.fromEntries(
        Object.entries(operations as Tree).map(([method, operation]) => [method, plainOperation(operation as Tree)]),
      )
  }
  return { swagger: "2.0", info: { title: "Kubernetes", version: LEVEL.gitVersion }, paths, definitions }
}

function plainOperation({ responses, requestBody, parameters, ...rest }: Tree): Tree {
  const content = at(responses, "200", "content", "application/json", "schema")
  const query = listAt({ parameters }, "parameters").map((one) => {
    const { schema, ...parameter } = one as Tree
    return Object.assign(parameter, schema)
  })
  return {
    ...rest,
    consumes: ["*/*"],
    produces: ["application/json"],
    parameters: [
      ...(requestBody === undefined
        ? []
        : [{ name: "body", in: "body", required: true, schema: plainSchema(content) }]),
      ...query,
    ],
    responses: { 200: { description: "OK", schema: plainSchema(content) } },
  }
}

function plainSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plainSchema)
  if (!isTree(schema)) return schema
  const { allOf, oneOf, default: _, ...rest } = schema
  const [only] = Array.isArray(allOf) ? allOf : []
  if (isTree(only)) return { ...(plainSchema(rest) as Tree), ...(plainSchema(only) as Tree) }
  // numbers and words for the same: a word is what is written
  if (Array.isArray(oneOf)) return { ...rest, type: "string" }
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, plainValue(key, value)]))
}

function plainValue(key: string, value: unknown): unknown {
  if (key === "$ref") return String(value).replace("#/components/schemas/", "#/definitions/")
  // keys of properties are names of fields, which may be called as words of a schema are: `default`, `oneOf`
  if (key === "properties" && isTree(value))
    return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, plainSchema(schema)]))
  return typeof value === "object" ? plainSchema(value) : value
}

function document(kinds: readonly ResourceKind[], objects: KubeObjects): Tree {
  const about = readDescriptions()
  const schemas: Tree = {}
  const paths: Tree = {}
  for (const kind of kinds) {
    const gvk = { group: kind.group, version: kind.version, kind: kind.kind }
    const name = addKind(schemas, kind, objects, about)
    const reference = { $ref: `#/components/schemas/${name}` }
    const content = { "application/json": { schema: reference } }
    const operation = (action: string, more: object = {}): object => ({
      "x-kubernetes-action": action,
      "x-kubernetes-group-version-kind": gvk,
      responses: { 200: { description: "OK", content } },
      ...more,
    })
    const parameters = ["dryRun", "fieldManager", "fieldValidation"].map((one) => ({
      name: one,
      in: "query",
      schema: { type: "string", uniqueItems: true },
    }))
    const namespace = kind.namespaced ? "{namespace}" : undefined
    const collection = decodeURI(resourcePath(kind, namespace))
    paths[collection] = { get: operation("list"), post: operation("post", { parameters, requestBody: { content } }) }
    paths[`${collection}/{name}`] = {
      get: operation("get"),
      put: operation("put", { parameters, requestBody: { content } }),
      patch: operation("patch", {
        parameters: [...parameters, { name: "force", in: "query", schema: { type: "boolean", uniqueItems: true } }],
      }),
      delete: operation("delete"),
    }
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: LEVEL.gitVersion },
    paths,
    components: { schemas },
  }
}

function addKind(schemas: Tree, kind: ResourceKind, objects: KubeObjects, about: Descriptions): string {
  const gvk = [{ group: kind.group, version: kind.version, kind: kind.kind }]
  if (kind.isCustom === true) {
    const name = `${kind.group.split(".").toReversed().join(".")}.${kind.version}.${kind.kind}`
    const definition = objects.find("customresourcedefinitions.apiextensions.k8s.io", `${kind.plural}.${kind.group}`)
    const found = listAt(definition, "spec", "versions").find((one) => textAt(one, "name") === kind.version)
    schemas[name] = {
      ...(at(found, "schema", "openAPIV3Schema") as Tree | undefined),
      "x-kubernetes-group-version-kind": gvk,
    }
    return name
  }
  const definition = kindDefinition(kind.group, kind.version, kind.kind)
  const name = longName(definition.name)
  add(schemas, definition, about)
  schemas[name] = { ...(schemas[name] as Tree), "x-kubernetes-group-version-kind": gvk }
  return name
}

/** `apps.v1.Deployment` → `io.k8s.api.apps.v1.Deployment`. */
function longName(name: string): string {
  if (name.startsWith("meta.")) return `io.k8s.apimachinery.pkg.apis.${name}`
  if (name.startsWith("apiextensions.")) return `io.k8s.apiextensions-apiserver.pkg.apis.${name}`
  return `io.k8s.api.${name}`
}

function add(schemas: Tree, definition: Definition, about: Descriptions): void {
  const name = longName(definition.name)
  if (schemas[name] !== undefined) return
  const properties: Tree = {}
  const required: string[] = []
  const own = about.get(definition.name)
  schemas[name] = {
    type: "object",
    ...(own?.get("") !== undefined && { description: own.get("") }),
    properties,
    ...(definition.isAtomic && { "x-kubernetes-map-type": "atomic" }),
    ...(definition.isOpen && { "x-kubernetes-preserve-unknown-fields": true }),
  }
  for (const [field, { type, isRequired }] of definition.fields) {
    const description = own?.get(field)
    properties[field] = { ...(description !== undefined && { description }), ...schemaOf(type, schemas, about) }
    if (isRequired) required.push(field)
  }
  if (required.length > 0) schemas[name] = { ...(schemas[name] as Tree), required }
}

function schemaOf(type: FieldType, schemas: Tree, about: Descriptions): Tree {
  switch (type.type) {
    case "object": {
      const definition = type.definition()
      if (findDefinition(definition.name) !== undefined) add(schemas, definition, about)
      return { allOf: [{ $ref: `#/components/schemas/${longName(definition.name)}` }], default: {} }
    }
    case "list": {
      const { merge } = type
      const extensions =
        merge.by === "keys"
          ? {
              "x-kubernetes-list-type": "map",
              "x-kubernetes-list-map-keys": merge.keys,
              "x-kubernetes-patch-merge-key": merge.keys[0],
              "x-kubernetes-patch-strategy": "merge",
            }
          : {
              "x-kubernetes-list-type": merge.by === "value" ? "set" : "atomic",
              ...(merge.by === "value" && { "x-kubernetes-patch-strategy": "merge" }),
            }
      return { type: "array", items: schemaOf(type.of, schemas, about), ...extensions }
    }
    case "map":
      return {
        type: "object",
        additionalProperties: schemaOf(type.of, schemas, about),
        ...(type.isAtomic && { "x-kubernetes-map-type": "atomic" }),
      }
    case "string":
      return { type: "string", ...(type.values && { enum: type.values }) }
    case "integer":
      return { type: "integer", format: "int32" }
    case "time":
    case "microTime":
      return { type: "string", format: "date-time" }
    case "bytes":
      return { type: "string", format: "byte" }
    case "quantity":
      return { oneOf: [{ type: "string" }, { type: "number" }] }
    case "intOrString":
      return { oneOf: [{ type: "integer" }, { type: "string" }], format: "int-or-string" }
    case "any":
      return { type: "object" }
    default:
      return { type: type.type }
  }
}

let read: Descriptions | undefined

/** First sentences, unpacked once. */
export function readDescriptions(): Descriptions {
  if (read !== undefined) return read
  const all = new Map<string, Map<string, string>>()
  let own = new Map<string, string>()
  for (const line of zstdDecompressSync(Buffer.from(DESCRIPTIONS, "base64")).toString().split("\n")) {
    if (!line.startsWith("\t")) all.set(line, (own = new Map()))
    else {
      const [, field = "", text = ""] = line.split("\t")
      own.set(field, text)
    }
  }
  read = all
  return all
}
