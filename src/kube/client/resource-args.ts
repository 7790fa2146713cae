import { InvalidArgument } from "../../base/errors.ts"
import type { ResourceKind } from "../objects/kinds.ts"
import type { KubeClient } from "./kube-client.ts"

/** What words of a command line name: objects of kinds, or all of a kind. */
export interface Named {
  kind: ResourceKind
  /** Undefined: all that are selected. */
  name?: string
}

const MIXED =
  "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'"

/**
 * Reads `pods`, `pod web db`, `pods,svc`, `deploy/web svc/web`, `all`. With no name each kind stands for all of it. Throws NotFound for a kind that
 * is not served, InvalidArgument for a mixture.
 */
export async function readResourceArgs(client: KubeClient, words: readonly string[]): Promise<Named[]> {
  const [first = "", ...names] = words
  const pairs = words.filter((word) => word.includes("/"))
  if (pairs.length > 0) {
    if (pairs.length !== words.length) throw new InvalidArgument(MIXED)
    return Promise.all(
      words.map(async (word) => {
        const [type = "", name = "", ...rest] = word.split("/")
        if (rest.length > 0 || type === "" || name === "")
          throw new InvalidArgument(`arguments in resource/name form must have a single resource and name`)
        return { kind: await client.kindNamed(type), name }
      }),
    )
  }
  const kinds = (
    await Promise.all(
      first
        .split(",")
        .filter((word) => word !== "")
        .map((word) => kindsNamed(client, word)),
    )
  ).flat()
  return kinds.flatMap((kind): Named[] => (names.length === 0 ? [{ kind }] : names.map((name) => ({ kind, name }))))
}

async function kindsNamed(client: KubeClient, word: string): Promise<ResourceKind[]> {
  const category = await client.kindsIn(word)
  return category.length > 0 ? category : [await client.kindNamed(word)]
}
