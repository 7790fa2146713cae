/**
 * How what is decided in one transaction waits for webhooks: it does not. Where an answer is missing, AwaitsAdmission is thrown through the transaction, which leaves nothing; whoever
 * began it asks, and begins anew with the answers at hand. An answer is about one version of an object: should somebody have been faster, it is asked for again.
 */
import type { Tree } from "../../../field.ts"
import { resourceKey } from "../../../objects/kinds.ts"
import type { KubeObjects } from "../../../objects/objects.ts"
import { statusError } from "../../status.ts"
import type { HookNetwork } from "./call.ts"
import { hooksOf, versionFor, type Attributes, type Hook } from "./hook.ts"

/** So often somebody may be faster. */
const MAX_ROUNDS = 20
/** Of those who go at once. */
const MAX_AT_ONCE = 16

/** Answers of webhooks are missing. */
export class AwaitsAdmission extends Error {
  /** Asks. What refuses is kept, and thrown when it is come by again. */
  readonly ask: () => Promise<void>
  constructor(ask: () => Promise<void>) {
    super("waits for webhooks of admission")
    this.ask = ask
  }
}

type Finish = (object: Tree) => Tree
type Answer = { object: Tree | undefined } | { refusal: unknown }

/** What webhooks have said in one request. */
export class Gate {
  readonly #objects: KubeObjects
  readonly #network: HookNetwork
  readonly #hooks: readonly Hook[]
  readonly #answers = new Map<string, Answer>()
  readonly #warnings = new Set<string>()

  constructor(objects: KubeObjects, network: HookNetwork, hooks: readonly Hook[]) {
    this.#objects = objects
    this.#network = network
    this.#hooks = hooks
  }

  get warnings(): readonly string[] {
    return [...this.#warnings]
  }

  /** The object as webhooks have it. Throws what refuses it, and AwaitsAdmission. */
  pass(attributes: Attributes, finish?: Finish): Tree | undefined {
    this.passAll([attributes], finish)
    const answer = this.#answers.get(keyOf(attributes))
    return answer && "object" in answer ? answer.object : attributes.object
  }

  /** All of them, so that all are asked at once. */
  passAll(all: readonly Attributes[], finish?: Finish): void {
    const concerned = all.filter((one) => this.concerns(one))
    const missing = concerned.filter((one) => !this.#answers.has(keyOf(one)))
    if (missing.length > 0) throw new AwaitsAdmission(() => this.#ask(missing, finish))
    for (const one of concerned) {
      const answer = this.#answers.get(keyOf(one))
      if (answer && "refusal" in answer) throw answer.refusal
    }
  }

  concerns(attributes: Attributes): boolean {
    return this.#hooks.some((hook) => versionFor(hook, attributes, this.#objects) !== undefined)
  }

  async #ask(all: readonly Attributes[], finish?: Finish): Promise<void> {
    const { askHooks } = await import("./ask-hooks.ts")
    const deps = {
      objects: this.#objects,
      network: this.#network,
      hooks: this.#hooks,
      warn: (text: string) => void this.#warnings.add(text),
    }
    for (let from = 0; from < all.length; from += MAX_AT_ONCE)
      await Promise.all(
        all.slice(from, from + MAX_AT_ONCE).map(async (one) => {
          try {
            this.#answers.set(keyOf(one), { object: await askHooks(one, deps, finish) })
          } catch (refusal) {
            this.#answers.set(keyOf(one), { refusal })
          }
        }),
      )
  }
}

/** One request is one object in one version: what it asks for does not change while it is answered. */
function keyOf({ operation, kind, subresource = "", namespace = "", name, old }: Attributes): string {
  const metadata = old?.["metadata"] as { resourceVersion?: string; uid?: string } | undefined
  const before = `${metadata?.uid ?? ""}/${metadata?.resourceVersion ?? ""}`
  return [operation, resourceKey(kind), subresource, namespace, name, before].join("\0")
}

/** The gate of a request; undefined: there are no webhooks. Cheap. */
export function gateOf(objects: KubeObjects, network: HookNetwork | undefined): Gate | undefined {
  const hooks = hooksOf(objects)
  return hooks.length === 0 ? undefined : new Gate(objects, network ?? NO_NETWORK, hooks)
}

const NO_NETWORK: HookNetwork = {
  endpoint(namespace, name) {
    throw new Error(`Services are not reached from here: ${namespace}/${name}`)
  },
  dial: () => Promise.reject(new Error("pods are not reached from here")),
}

/** Does `body` until nothing is missing. */
export async function throughGate<T>(body: () => T | Promise<T>): Promise<T> {
  for (let round = 0; round < MAX_ROUNDS; round++)
    try {
      return await body()
    } catch (error) {
      if (!(error instanceof AwaitsAdmission)) throw error
      await error.ask()
    }
  throw statusError(
    "FailedPrecondition",
    "Operation cannot be fulfilled: the object is changed faster than webhooks answer",
    {
      reason: "Conflict",
    },
  )
}
