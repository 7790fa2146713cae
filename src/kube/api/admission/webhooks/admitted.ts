/** What requests of the API give to webhooks, and have back. */
import { textAt, type Tree } from "../../../field.ts"
import type { StoredObject } from "../../../objects/objects.ts"
import type { ResourceRequest } from "../../context.ts"
import { fillDefaults } from "../../defaults/defaults.ts"
import { decode } from "../../schema/decode.ts"
import { validate } from "../../validate/validate.ts"
import { fillPod } from "../admit.ts"
import type { Attributes, Operation } from "./hook.ts"

const OPTIONS: Readonly<Record<Operation, string>> = {
  CREATE: "CreateOptions",
  UPDATE: "UpdateOptions",
  DELETE: "DeleteOptions",
  CONNECT: "ConnectOptions",
}

function attributesOf(context: ResourceRequest, operation: Operation, object?: Tree, old?: Tree): Attributes {
  const { kind, target, isDryRun, user, query } = context
  const manager = query.get("fieldManager")
  const options = {
    kind: context.request.method === "PATCH" ? "PatchOptions" : OPTIONS[operation],
    apiVersion: "meta.k8s.io/v1",
    ...(isDryRun && { dryRun: ["All"] }),
    ...(manager && { fieldManager: manager }),
  }
  return {
    operation,
    kind,
    version: target.version,
    subresource: target.subresource,
    namespace: kind.namespaced
      ? (target.namespace ?? (textAt(object ?? old, "metadata", "namespace") || "default"))
      : undefined,
    name: target.name ?? textAt(object ?? old, "metadata", "name"),
    object,
    old,
    user,
    isDryRun,
    ...(operation !== "CONNECT" && { options }),
  }
}

/** A new object, or one in place of `old`, as webhooks leave it. Throws what refuses it. */
export function admitted(context: ResourceRequest, asked: Tree, old?: StoredObject): Tree {
  const { gate, kind, resource, definition, deps, target } = context
  if (gate === undefined) return asked
  const attributes = attributesOf(context, old === undefined ? "CREATE" : "UPDATE", asked, old)
  if (!gate.concerns(attributes)) return asked
  if (old === undefined && resource === "pods" && target.subresource === undefined) {
    attributes.object = structuredClone(asked)
    fillPod(deps.objects, attributes.object as unknown as StoredObject)
  }
  const finish = (changed: Tree): Tree => {
    const { value } = decode(changed, definition)
    const object = { ...value, apiVersion: asked["apiVersion"], kind: asked["kind"] } as Tree
    // which nobody but the server writes
    if (kind.hasStatus && target.subresource === undefined) delete object["status"]
    fillDefaults(kind, object)
    validate(kind, definition, object, old)
    return old !== undefined && kind.hasStatus && target.subresource === undefined && old["status"] !== undefined
      ? { ...object, status: old["status"] }
      : object
  }
  return gate.pass(attributes, finish) ?? asked
}

/** What is sent to a part of an object, of a kind of its own: Scale, Eviction. Throws what refuses it. */
export function partAdmitted(context: ResourceRequest, operation: Operation, object: Tree, old?: Tree): Tree {
  const { gate } = context
  return gate?.pass(attributesOf(context, operation, object, old)) ?? object
}

/** The end of objects, one or many. Throws what refuses it. */
export function deletionAdmitted(context: ResourceRequest, all: readonly StoredObject[]): void {
  const { gate } = context
  gate?.passAll(
    all.map((one) => ({
      ...attributesOf(context, "DELETE", undefined, one),
      name: one.metadata.name,
      ...placeOf(one),
    })),
  )
}

function placeOf({ metadata: { namespace } }: StoredObject): { namespace?: string } {
  return namespace === undefined ? {} : { namespace }
}
