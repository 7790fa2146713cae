/** Which pods a command is about: those it names, or those that flags choose. */
import { readFileSync } from "node:fs"
import { NotFound } from "../../base/errors.ts"
import type { Pods } from "../../pod/pod.ts"
import { UsageError } from "../errors/usage-error.ts"
import { fileFailure } from "../file-failure.ts"
import { flag } from "../flag.ts"

/** Flags that choose pods, of which each command has some. */
export const POD_CHOICE_FLAGS = {
  all: flag.bool("Choose all pods", { short: "a" }),
  latest: flag.bool("Choose the pod that was created last", { short: "l" }),
  podIdFile: flag.strings("Read the pod ID from the file", "file"),
}

/** The properties of those flags: any of them stands for the names (`arg.some`'s `unless`). */
export const CHOOSING_PODS = Object.keys(POD_CHOICE_FLAGS)

/** Names and ids; `--all` gives ids. Throws UsageError for choices that contradict each other, NotFound where there is no latest one. */
export async function choosePods(
  pods: Pods,
  names: readonly string[],
  { all = false, latest = false, podIdFile = [] }: { all?: boolean; latest?: boolean; podIdFile?: readonly string[] },
): Promise<readonly string[]> {
  const ways = [names.length > 0, all, latest].filter(Boolean).length
  if (ways > 1 || ((all || latest) && podIdFile.length > 0))
    throw new UsageError("names, --all, --latest and --pod-id-file cannot be used together", {}, 125)
  if (latest) return [await latestPod(pods)]
  if (all) return (await pods.list()).map(({ id }) => id)
  return [...names, ...podIdFile.map(podIdIn)]
}

/** The one that a command is about: by its name, or the latest one. Throws UsageError for none and for both. */
export async function choosePod(pods: Pods, name: string | undefined, latest: boolean): Promise<string> {
  if (latest === (name !== undefined)) throw new UsageError("give the name of a pod, or --latest")
  return name ?? latestPod(pods)
}

async function latestPod(pods: Pods): Promise<string> {
  const [latest] = await pods.list()
  if (latest === undefined) throw new NotFound("there is no latest pod: there are none")
  return latest.id
}

/** The first line of a file that `--pod-id-file` wrote. Throws UsageError. */
export function podIdIn(path: string): string {
  try {
    const [line = ""] = readFileSync(path, "utf8").trim().split("\n")
    if (line !== "") return line
  } catch (cause) {
    throw new UsageError(`cannot read the pod ID file "${path}": ${fileFailure(cause)}`, { cause })
  }
  throw new UsageError(`the pod ID file "${path}" is empty`)
}
