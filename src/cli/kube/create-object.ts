import { kubeYaml, placeObject, textAt, titleOf, withLastApplied, type KubeClient, type Tree } from "../../kube/kube.ts"
import { flag } from "../flag.ts"
import type { Out } from "../out.ts"
import { DRY_RUN, FIELD_MANAGER, OUTPUT_FLAGS, PLACE_FLAGS, VALIDATE, dryRunSuffix, type DryRun } from "./kube-flags.ts"
import { printObject, type OutputRequest } from "./print.ts"

/** Flags of all commands that make one object. */
export const CREATE_FLAGS = {
  ...PLACE_FLAGS,
  ...DRY_RUN,
  ...VALIDATE,
  ...OUTPUT_FLAGS,
  saveConfig: flag.bool("If true, the configuration of current object will be saved in its annotation, for apply"),
  ...FIELD_MANAGER,
}

/** Their values. */
export interface CreateRequest extends OutputRequest {
  namespace?: string | undefined
  dryRun?: DryRun | undefined
  validate?: string | undefined
  saveConfig?: boolean
  fieldManager?: string | undefined
}

/** Makes an object and tells of it; by `--dry-run=client` it is only shown. */
export async function createObject(
  client: KubeClient,
  out: Out,
  asked: Tree,
  request: CreateRequest,
  word = "created",
): Promise<Tree> {
  const kind = await client.kindOf(asked)
  const { object, namespace } = placeObject(kind, asked, request.namespace, client.transport.namespace)
  const whole = request.saveConfig === true ? withLastApplied(object) : object
  const { dryRun = "none" } = request
  const made =
    dryRun === "client"
      ? withoutDefaultPlace(whole, request.namespace)
      : await client.create(kind, whole, namespace, {
          dryRun: dryRun === "server",
          fieldManager: request.fieldManager ?? "kubectl-create",
          fieldValidation: request.validate,
        })
  const title = titleOf(kind, textAt(made, "metadata", "name"))
  const suffix = dryRunSuffix(dryRun)
  if (request.output === undefined) out.line(`${title} ${word}${suffix}`)
  else if (request.output === "yaml" && dryRun === "client") out.text(kubeYaml(made))
  else await printObject(out, made, [title], request)
  return made
}

/** What is to be written to a file says no namespace that nobody asked for. */
function withoutDefaultPlace(object: Tree, namespace: string | undefined): Tree {
  if (namespace !== undefined) return object
  const { namespace: _, ...metadata } = object["metadata"] as Tree
  return { ...object, metadata }
}
