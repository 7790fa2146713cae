/** All webhooks that a request concerns: those that change it one after the other, then those that only judge, at once (apiserver, plugins MutatingAdmissionWebhook, ValidatingAdmissionWebhook). */
import { isDeepStrictEqual } from "node:util"
import { log } from "../../../../base/log.ts"
import { isSkiffError } from "../../../../base/errors.ts"
import type { Tree } from "../../../field.ts"
import type { KubeObjects } from "../../../objects/objects.ts"
import { badRequest, statusError } from "../../status.ts"
import { callHook, type HookNetwork } from "./call.ts"
import { fitsObject, versionFor, type Attributes, type Hook } from "./hook.ts"
import { patchedBy, readAnswer, reviewOf } from "./review.ts"

/** What asking works with. */
export interface AskDeps {
  objects: KubeObjects
  hooks: readonly Hook[]
  network: HookNetwork
  warn(text: string): void
}

/**
 * Gives the object as webhooks leave it. `finish`: reads what they made of it by its schema, fills in defaults and validates; called before those that judge.
 * Throws what refuses it.
 */
export async function askHooks(
  attributes: Attributes,
  deps: AskDeps,
  finish: (object: Tree) => Tree = (object) => object,
): Promise<Tree | undefined> {
  const changed = await mutate(attributes, deps)
  const isSame = changed === attributes.object
  const object = changed === undefined || isSame ? changed : finish(changed)
  const judged = { ...attributes, object }
  const asked = deps.hooks.filter((hook) => !hook.isMutating).map((hook) => ask(hook, judged, deps))
  const refused = (await Promise.allSettled(asked)).find((one) => one.status === "rejected")
  if (refused) throw refused.reason
  return object
}

async function mutate(attributes: Attributes, deps: AskDeps): Promise<Tree | undefined> {
  const hooks = deps.hooks.filter((hook) => hook.isMutating)
  /** As each left it. */
  const left = new Map<Hook, Tree | undefined>()
  let { object } = attributes
  for (const hook of hooks) {
    const next = await ask(hook, { ...attributes, object }, deps)
    if (next.isAsked) left.set(hook, next.object)
    object = next.object
  }
  for (const hook of hooks)
    if (hook.isAskedAgain && left.has(hook) && !isDeepStrictEqual(left.get(hook), object))
      ({ object } = await ask(hook, { ...attributes, object }, deps))
  return object
}

async function ask(
  hook: Hook,
  attributes: Attributes,
  { objects, network, warn }: AskDeps,
): Promise<{ isAsked: boolean; object: Tree | undefined }> {
  const { object, isDryRun } = attributes
  const version = versionFor(hook, attributes, objects)
  if (version === undefined || !fitsObject(hook, attributes)) return { isAsked: false, object }
  if (isDryRun && !hook.isFreeOfEffects) throw badRequest(`admission webhook "${hook.name}" does not support dry run`)
  const review = reviewOf(attributes, version)
  try {
    const { patch, warnings } = readAnswer(hook, review.request.uid, await callHook(hook, review, network))
    for (const text of warnings) warn(text)
    if (patch === undefined || object === undefined) return { isAsked: true, object }
    return { isAsked: true, object: patchedBy(object, patch) }
  } catch (error) {
    // its own word holds; what is no word is what failurePolicy is for
    if (isSkiffError(error) && error.data["httpCode"] !== undefined) {
      for (const text of (error as { warnings?: readonly string[] }).warnings ?? []) warn(text)
      throw error
    }
    const why = `failed calling webhook "${hook.name}": failed to call webhook: ${(error as Error).message}`
    if (!hook.ignoresFailure)
      throw statusError("Unavailable", `Internal error occurred: ${why}`, { reason: "InternalError" })
    log.warn("a webhook of admission is passed over, as its failurePolicy has it", { reason: why })
    return { isAsked: true, object }
  }
}
