import { at, isTree, textAt, type Tree } from "../field.ts"
import { fillPod } from "../api/admission/admit.ts"
import { AwaitsAdmission, Gate } from "../api/admission/webhooks/gate.ts"
import type { HookNetwork } from "../api/admission/webhooks/call.ts"
import { hooksOf, type Attributes } from "../api/admission/webhooks/hook.ts"
import { definitionFor } from "../api/context.ts"
import { fillDefaults } from "../api/defaults/defaults.ts"
import { validate } from "../api/validate/validate.ts"
import type { KubeObjects, StoredObject } from "../objects/objects.ts"

/** As whom controllers ask. */
const USER = { name: "system:kube-controller-manager", groups: ["system:authenticated"] }
/** Of questions that nobody came back for. */
const MAX_OPEN = 1000

interface Question {
  gate: Gate
  asking?: Promise<void>
}

/**
 * What webhooks say of objects that controllers make. A reconciliation does not wait: where an answer is missing it ends with AwaitsAdmission, and is begun anew with the answer at
 * hand (work-queue.ts), which counts once.
 */
export class ControllerAdmission {
  readonly #objects: KubeObjects
  readonly #network: HookNetwork
  readonly #questions = new Map<string, Question>()

  constructor(objects: KubeObjects, network: HookNetwork) {
    this.#objects = objects
    this.#network = network
  }

  /** A new object as webhooks leave it. Throws what refuses it, and AwaitsAdmission. */
  admitted(resource: string, asked: object): object {
    const kind = this.#objects.kind(resource)
    const object = asked as Tree
    const namespace = kind.namespaced ? textAt(object, "metadata", "namespace") || "default" : undefined
    const attributes: Attributes = {
      operation: "CREATE",
      kind,
      version: kind.version,
      namespace,
      name: textAt(object, "metadata", "name"),
      object,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
      user: USER,
      isDryRun: false,
    }
    const key = JSON.stringify([resource, object])
    const question = this.#questions.get(key) ?? {
      gate: new Gate(this.#objects, this.#network, hooksOf(this.#objects)),
    }
    if (question.asking) throw new AwaitsAdmission(() => question.asking ?? Promise.resolve())
    if (!question.gate.concerns(attributes)) return asked
    if (resource === "pods") {
      attributes.object = structuredClone(object)
      fillPod(this.#objects, attributes.object as unknown as StoredObject)
    }
    const definition = definitionFor(kind, kind.version, this.#objects)
    const finish = (changed: Tree): Tree => {
      fillDefaults(kind, changed)
      validate(kind, definition, changed)
      return changed
    }
    try {
      const left = question.gate.pass(attributes, finish)
      this.#questions.delete(key)
      return isTree(left) ? { ...left, status: at(object, "status") } : asked
    } catch (error) {
      this.#questions.delete(key)
      if (!(error instanceof AwaitsAdmission)) throw error
      if (this.#questions.size > MAX_OPEN) this.#questions.clear()
      this.#questions.set(key, question)
      question.asking = error.ask().finally(() => delete question.asking)
      throw new AwaitsAdmission(() => question.asking ?? Promise.resolve())
    }
  }
}
