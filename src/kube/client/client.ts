/** The client of Kubernetes' API, ours and others'. */
export type { Applied, ApplyOptions } from "./apply.ts"
export { applyObject, gone, LAST_APPLIED, placeObject, withLastApplied } from "./apply.ts"
export type { ClientRequest, PatchBody, Selection, Transport, WriteOptions } from "./kube-client.ts"
export { KubeClient, titleOf } from "./kube-client.ts"
export { openKubeconfig } from "./kubeconfig/open-kubeconfig.ts"
export { readKubeconfig } from "./kubeconfig/kubeconfig.ts"
export { localTransport } from "./local-transport.ts"
export type { Manifest, ManifestSources } from "./manifests.ts"
export { manifestDocument, manifestsOf, readManifests } from "./manifests.ts"
export { containerNames, meantContainer, runningContainer } from "../api/pods/pod-container.ts"
export { attachablePod, podSelector, podsOf } from "./attachable.ts"
export { resourcePath } from "../api/route.ts"
export { resourceKey, apiVersionOf } from "../objects/kinds.ts"
export { selectorText, labelSelectorTest, parseLabelSelector } from "../api/selectors.ts"
export { canonical } from "../api/validate/pod.ts"
export { quantityText, quantityValue } from "../quantity.ts"
export { dataOf, environmentLines } from "./kustomize/generators.ts"
export { podRow } from "../api/tables/pod-row.ts"
export { eventTable } from "./describe/event-table.ts"
export type { Named } from "./resource-args.ts"
export { readResourceArgs } from "./resource-args.ts"
export { customColumnsText } from "./print/custom-columns.ts"
export { tableLines } from "./print/table-lines.ts"
export { kyaml } from "./print/kyaml.ts"
export { kubeYaml } from "./print/yaml.ts"
export { restartPatch, revisionsOf, rolloutState, undoPatch } from "./rollout.ts"
export { mergeInto, strategicPatchOf } from "./patch-of.ts"
export type { Table } from "../api/tables/table.ts"
export { deletedTitle, resourceTitle } from "./titles.ts"
export { JsonPathError, jsonPathText, jsonPathValue, jsonPathValues } from "../api/json-path.ts"
export { ageOf, humanDuration } from "../api/tables/age.ts"
export { at, isTree, listAt, numberAt, textAt, textsAt, treeAt, withAt, type Tree } from "../field.ts"

/** Programs and ports of another cluster's pods; loads when one is joined. */
export const podSessions = (): Promise<typeof import("./pod-session.ts")> => import("./pod-session.ts")

/** Changes of kubeconfig files; loads when one is changed. */
export const kubeconfigEdits = (): Promise<typeof import("./kubeconfig/edit-kubeconfig.ts")> =>
  import("./kubeconfig/edit-kubeconfig.ts")

/** What `describe` says of an object. */
export async function describe(...of: Parameters<typeof import("./describe/describe.ts").describe>): Promise<string> {
  return (await import("./describe/describe.ts")).describe(...of)
}

/** What a field of a kind is. */
export async function explainField(...of: Parameters<typeof import("./explain.ts").explainField>): Promise<string> {
  return (await import("./explain.ts")).explainField(...of)
}
