import {
  isTree,
  readResourceArgs,
  textAt,
  titleOf,
  type KubeClient,
  type PatchBody,
  type ResourceKind,
  type Tree,
} from "../../kube/kube.ts"
import type { Out } from "../out.ts"
import { UsageError } from "../errors/usage-error.ts"
import { dryRunSuffix, type DryRun } from "./kube-flags.ts"
import { namespaceOf } from "./open-client.ts"
import { listOf, printObject, type OutputRequest } from "./print.ts"
import { namesFiles, sourceTargets, type FileFlags } from "./sources.ts"

/** Flags of commands that change objects which are there. */
export interface ChangeFlags extends FileFlags, OutputRequest {
  namespace?: string | undefined
  allNamespaces?: boolean
  selector?: string | undefined
  fieldSelector?: string | undefined
  all?: boolean
  dryRun?: DryRun | undefined
  fieldManager?: string | undefined
}

/** An object that a command is about. */
export interface ChosenObject {
  kind: ResourceKind
  object: Tree
}

/** The objects that words, files or selectors name, as they are now. */
export async function chosenObjects(
  client: KubeClient,
  words: readonly string[],
  flags: ChangeFlags,
): Promise<ChosenObject[]> {
  if (namesFiles(flags)) {
    const found: ChosenObject[] = []
    for await (const { kind, name, namespace } of sourceTargets(client, flags))
      found.push({ kind, object: await client.get(kind, name, namespace) })
    return found
  }
  if (words.length === 0)
    throw new UsageError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
  const place = namespaceOf(client, flags)
  const found: ChosenObject[] = []
  for (const { kind, name } of await readResourceArgs(client, words)) {
    const namespace = kind.namespaced ? place : undefined
    if (name !== undefined) found.push({ kind, object: await client.get(kind, name, namespace) })
    else if (flags.all !== true && flags.selector === undefined && flags.fieldSelector === undefined)
      throw new UsageError("resource(s) were provided, but no name was specified")
    else {
      const { items } = await client.list(kind, {
        namespace,
        labelSelector: flags.selector,
        fieldSelector: flags.fieldSelector,
      })
      found.push(...items.filter(isTree).map((object) => ({ kind, object })))
    }
  }
  return found
}

/** What one change came to. */
export interface ChangeResult {
  kind: ResourceKind
  object: Tree
  /** `scaled`, `labeled`, `not labeled`. */
  word: string
}

/** Patches objects one by one; tells of each, or prints all in the form that was asked for. `unchanged`: the word where nothing came of it. */
export async function changeObjects(
  client: KubeClient,
  out: Out,
  chosen: readonly ChosenObject[],
  flags: ChangeFlags,
  change: (one: ChosenObject) => { patch: PatchBody | undefined; word: string; unchanged?: string },
): Promise<void> {
  const results: ChangeResult[] = []
  for (const one of chosen) {
    const { kind, object } = one
    const { patch, word, unchanged = word } = change(one)
    const name = textAt(object, "metadata", "name")
    const namespace = textAt(object, "metadata", "namespace") || undefined
    const isDry = flags.dryRun !== undefined && flags.dryRun !== "none"
    const changed =
      patch === undefined
        ? object
        : await client.patch(kind, name, namespace, patch, { dryRun: isDry, fieldManager: flags.fieldManager })
    const isSame = versionOf(changed) === versionOf(object)
    results.push({ kind, object: patch?.part === undefined ? changed : object, word: isSame ? unchanged : word })
  }
  await printResults(out, results, flags)
}

function versionOf(object: Tree): string {
  return textAt(object, "metadata", "resourceVersion")
}

/** `deployment.apps/web scaled`. */
export async function printResults(out: Out, results: readonly ChangeResult[], flags: ChangeFlags): Promise<void> {
  const titles = results.map(({ kind, object }) => titleOf(kind, textAt(object, "metadata", "name")))
  if (flags.output === undefined) {
    for (const [index, { word }] of results.entries()) out.line(`${titles[index]} ${word}${dryRunSuffix(flags.dryRun)}`)
    return
  }
  const [only] = results
  if (only)
    await printObject(
      out,
      results.length === 1 ? only.object : listOf(results.map(({ object }) => object)),
      titles,
      flags,
    )
}
