import type { KubeObject } from "../../kube/kube.ts"
import { readFileSync, statSync } from "node:fs"
import { flag, type FlagValues } from "../flag.ts"

/** A ConfigMap or Secret holds at most 1 MiB. */
const MOST_BYTES = 1024 * 1024

/** How a project becomes objects of a cluster. */
export const KUBE_FLAGS = {
  namespace: flag.string("Namespace of all objects"),
  networkPolicies: flag.bool("A NetworkPolicy for each network of the project"),
  publish: flag.choice(["LoadBalancer", "NodePort", "none"], "How published ports are reached from outside", {
    initial: "LoadBalancer",
  }),
  strict: flag.bool("Fail when a key is lost"),
  volumeKind: flag.choice(["claim", "emptyDir", "hostPath"], "What named volumes become", { initial: "claim" }),
  volumeSize: flag.string("Size of claims whose volume names none (default 1Gi)"),
  waitImage: flag.string("Image of init containers that wait for other services (default busybox:stable)", "image"),
}

/** Values of `KUBE_FLAGS` as the conversion takes them. */
export function convertOptions(flags: FlagValues<typeof KUBE_FLAGS>) {
  return {
    ...(flags.volumeKind === undefined ? {} : { volumes: flags.volumeKind }),
    ...(flags.volumeSize === undefined ? {} : { volumeSize: flags.volumeSize }),
    ...(flags.publish === undefined ? {} : { publish: flags.publish }),
    ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
    ...(flags.waitImage === undefined ? {} : { waitImage: flags.waitImage }),
    networkPolicies: flags.networkPolicies,
    readFile: readSmallFile,
  }
}

/** Undefined for what is no regular file that an object can hold. */
function readSmallFile(path: string): Uint8Array | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat?.isFile() && stat.size <= MOST_BYTES ? readFileSync(path) : undefined
}

/** `web-deployment.yaml`. */
export function fileNameOf({ metadata: { name }, kind }: KubeObject): string {
  return `${name}-${kind.toLowerCase()}.yaml`
}
