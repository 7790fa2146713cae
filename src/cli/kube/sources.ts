import { InvalidArgument } from "../../base/errors.ts"
import {
  placeObject,
  readManifests,
  textAt,
  type KubeClient,
  type Manifest,
  type ResourceKind,
} from "../../kube/kube.ts"
import { standardInput } from "../../sys/terminal/standard-input.ts"
import { download } from "../../sys/net/download.ts"
import { UsageError } from "../errors/usage-error.ts"

const MAX_FETCHED = 8 * 1024 ** 2

/** Flags that say where manifests are. */
export interface FileFlags {
  filename: readonly string[]
  kustomize?: string | undefined
  recursive: boolean
}

/** Whether any are named. */
export function namesFiles({ filename, kustomize }: FileFlags): boolean {
  return filename.length > 0 || kustomize !== undefined
}

/** The objects of all files that the flags name. Throws UsageError where there are none. */
export async function readSources(flags: FileFlags): Promise<Manifest[]> {
  if (!namesFiles(flags)) throw new UsageError("must specify one of -f and -k")
  if (flags.filename.length > 0 && flags.kustomize !== undefined)
    throw new UsageError("only one of -f or -k can be specified")
  return readManifests({
    filenames: flags.filename,
    recursive: flags.recursive,
    kustomize: flags.kustomize,
    stdin: async () => Buffer.concat(await Array.fromAsync(standardInput())),
    fetch,
  })
}

/** An object that a file names, and where it is. */
export interface SourceTarget {
  kind: ResourceKind
  name: string
  namespace: string | undefined
}

/** Where the objects of all files are that the flags name, one after the other. Throws UsageError where there are none. */
export async function* sourceTargets(
  client: KubeClient,
  flags: FileFlags & { namespace?: string | undefined },
): AsyncGenerator<SourceTarget> {
  for (const { object } of await readSources(flags)) {
    const kind = await client.kindOf(object)
    const { namespace } = placeObject(kind, object, flags.namespace, client.transport.namespace)
    yield { kind, name: textAt(object, "metadata", "name"), namespace }
  }
}

async function fetch(url: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of download(url)) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_FETCHED) throw new InvalidArgument(`"${url}" has more than ${MAX_FETCHED} bytes`)
  }
  return Buffer.concat(chunks)
}
