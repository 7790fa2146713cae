import { castScalars } from "./cast.ts"
import { fault } from "./fault.ts"
import { interpolate } from "./interpolate.ts"
import type { ModelContext, ModelFile } from "./model-context.ts"
import type { ParsedDocument } from "./parse.ts"
import { isMap, type Tree, type TreeMap } from "./tree.ts"

/** A document as a mapping, its variables replaced, its texts made numbers where such belong. Throws InvalidArgument. */
export function prepare(
  { tree }: ParsedDocument,
  file: ModelFile,
  { request, environment, warn }: ModelContext,
): TreeMap {
  if (!isMap(tree)) throw fault("top-level object must be a mapping", { file: file.name, line: 1, column: 1 })
  if (!request.skipInterpolation) {
    interpolate(tree, environment, warn)
    castScalars(tree, warn)
  }
  return tree
}

/** Takes out empty texts of `dns`: what an unset variable leaves is no server. In place. */
export function omitEmpty(model: TreeMap): TreeMap {
  const services: Tree | undefined = model.services
  if (!isMap(services)) return model
  for (const service of Object.values(services)) {
    if (!isMap(service)) continue
    const { dns } = service
    if (dns === "" || dns === null) delete service.dns
    if (Array.isArray(dns)) service.dns = dns.filter((server) => server !== "" && server !== null)
  }
  return model
}
