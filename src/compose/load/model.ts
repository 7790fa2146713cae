import { canonical } from "./canonical.ts"
import { checkValues } from "./checks.ts"
import { setDefaults } from "./defaults.ts"
import { applyExtends } from "./extends.ts"
import { applyInclude } from "./include.ts"
import { resolveKeys } from "./key-only.ts"
import { mergeDocuments } from "./merge.ts"
import type { ModelContext, ModelFile } from "./model-context.ts"
import type { ParsedDocument } from "./parse.ts"
import { resolvePaths } from "./paths.ts"
import { omitEmpty, prepare } from "./prepare.ts"
import { checkRemoteModel } from "./remote-paths.ts"
import { applyResets } from "./reset-override.ts"
import { checkSchema } from "./schema.ts"
import { cloneTree, originIn, type TreeMap } from "./tree.ts"
import { enforceUnique } from "./unique.ts"

/**
 * One model of files, later ones over earlier ones, in its long form, with absolute paths; not normalised. Empty: the files say nothing. What
 * comes before what is docker compose's, and shows: interpolation sees one document, the schema sees what was merged so far.
 */
export async function loadModel(files: readonly ModelFile[], context: ModelContext): Promise<TreeMap> {
  let model: TreeMap = {}
  for (const file of files)
    for (const document of file.documents) model = await addDocument(model, document, file, context)
  setDefaults(model)
  checkValues(model)
  if (!context.request.skipPathResolution || context.chain.length > 0) resolvePaths(model, context.pathBase)
  checkRemoteModel(context.root, model, context.directory)
  if (!context.request.skipInterpolation) resolveKeys(model, context.environment)
  return model
}

async function addDocument(
  model: TreeMap,
  document: ParsedDocument,
  file: ModelFile,
  outer: ModelContext,
): Promise<TreeMap> {
  const context = file.root === undefined ? outer : { ...outer, root: file.root }
  const tree = prepare(document, file, context)
  if (context.root !== outer.root) checkRemoteDocument(tree, context)
  await applyExtends(tree, document.resets, file, context)
  applyResets(model, document.resets)
  await applyInclude(tree, file, context, loadModel)
  const merged = enforceUnique(mergeDocuments(model, tree))
  checkSchema(merged, file.name)
  dropVersion(merged, file, context)
  const { skipInterpolation = false } = context.request
  const long = omitEmpty(canonical(merged, context.warn, { skipInterpolation }))
  // a range of ports is several now, one of which an override may have named
  return enforceUnique(long)
}

/** Of a remote file over others, whose root says nothing of it: what is merged does not tell any more whose word it was. */
function checkRemoteDocument(tree: TreeMap, { root, directory, request }: ModelContext): void {
  const { skipInterpolation = false } = request
  const alone = enforceUnique(mergeDocuments({}, cloneTree(tree)))
  checkRemoteModel(
    root,
    canonical(alone, () => {}, { skipInterpolation }),
    directory,
  )
}

function dropVersion(model: TreeMap, file: ModelFile, { warn }: ModelContext): void {
  if (!Object.hasOwn(model, "version")) return
  const origin = originIn(model, "version")
  warn({
    message: `${file.name}: the attribute \`version\` is obsolete, it will be ignored, please remove it to avoid potential confusion`,
    ...(origin && { origin }),
  })
  delete model.version
}
