import { InvalidArgument } from "../../base/errors.ts"
import { parseDigest } from "../../spec/digest.ts"
import type { AddInstruction, CopyInstruction } from "../../dockerfile/dockerfile.ts"
import { cleanPath } from "../../dockerfile/ignore-file.ts"
import type { FileAction, FilesOperation, Vertex } from "./definition.ts"
import { contextVertex } from "./context-vertex.ts"
import { formatGitSource, parseGitSource, type GitSource } from "./git-source.ts"
import { inlineVertex, rootOf } from "./run-step.ts"
import type { OpenStage, PlanScope, Step } from "./stage-state.ts"
import { shownInstruction, stepName } from "./vertex-name.ts"
import { Inputs } from "./vertices.ts"

type Copy = CopyInstruction | AddInstruction
type CopyAction = Extract<FileAction, { do: "copy" }>

/** COPY and ADD, their words expanded: one vertex with an action for each kind of source; with --link two. */
export function planCopy(stage: OpenStage, copy: Copy, step: Step, scope: PlanScope): void {
  checkMode(copy.chmod)
  checkSources(copy)
  const [from] = step.sources
  const files = from === undefined ? contextVertex("context", scope) : rootOf(from)
  if (from === undefined) warnOfIgnored(copy, scope)
  const text = shownInstruction(copy.code, stage.variables, { escape: scope.dockerfile.escape })
  const name = stepName(stage, scope, text, step.triggered)
  const common = { source: copy.source, ignoreCache: stage.ignoreCache, platform: stage.platform }

  const isNamed = copy.chown.split(":").some((each) => !/^(?:\d*|root)$/.test(each))
  if (isNamed && stage.root.operation.kind === "scratch")
    throw new InvalidArgument(`--chown=${copy.chown}: the stage has no files yet, so no names of users`, {
      hint: "give numbers",
    })
  // buildkit: a layer that must not know what it lies on cannot change modes of what is there, nor ask it for names
  const linked = copy.link && copy.chmod === "" && !isNamed
  const root = linked ? scratchVertex(stage, scope) : stage.root
  const inputs = new Inputs(root)
  const actions = planActions(stage, copy, files, inputs, scope, name)
  const copied = scope.vertices.make({
    ...common,
    operation: filesOperation(actions, scope),
    inputs: inputs.list,
    name,
  })
  stage.root = linked
    ? scope.vertices.make({
        ...common,
        operation: { kind: "merge" },
        inputs: [stage.root, copied],
        name: name.replace(text, `LINK ${text}`),
      })
    : copied
  stage.image.commit(historyLine(copy), scope.epoch, stage.root)
}

/** What writes files: with SOURCE_DATE_EPOCH, all of that time. */
export function filesOperation(actions: readonly FileAction[], { epoch }: PlanScope): FilesOperation {
  return { kind: "files", actions, ...(epoch === undefined ? {} : { epoch }) }
}

/** A vertex with no files: what COPY --link writes to. */
function scratchVertex({ platform }: OpenStage, { vertices }: PlanScope): Vertex {
  return vertices.make({
    operation: { kind: "scratch" },
    inputs: [],
    name: "[internal] scratch",
    ignoreCache: false,
    platform,
  })
}

function planActions(
  stage: OpenStage,
  copy: Copy,
  files: Vertex,
  inputs: Inputs,
  scope: PlanScope,
  name: string,
): CopyAction[] {
  const target = absoluteTarget(stage.directory, copy.target)
  const actions: CopyAction[] = []
  const add = (vertex: Vertex, source: string, own: Pick<CopyAction, "unpack" | "contentsOnly" | "allowEmpty">) => {
    const from = inputs.add(vertex)
    const last = actions.at(-1)
    if (last?.from === from && last.unpack === own.unpack && last.contentsOnly === own.contentsOnly)
      actions[actions.length - 1] = { ...last, sources: [...last.sources, source] }
    else
      actions.push({
        do: "copy",
        from,
        sources: [source],
        target,
        ...(copy.chown === "" ? {} : { chown: copy.chown }),
        ...(copy.chmod === "" ? {} : { chmod: copy.chmod }),
        parents: copy.kind === "copy" && copy.parents,
        exclude: copy.exclude,
        ...own,
      })
  }
  for (const source of copy.sources) {
    const remote = copy.kind === "add" ? remoteVertex(stage, copy, source, scope, name) : undefined
    if (remote !== undefined)
      add(remote.vertex, remote.path, { unpack: remote.unpack, contentsOnly: true, allowEmpty: false })
    else {
      const path = copy.kind === "copy" && copy.parents ? pivotPath(source) : cleanPath(`/${source}`)
      const unpack = copy.kind === "add" && (copy.unpack ?? true)
      add(files, path, { unpack, contentsOnly: true, allowEmpty: true })
    }
  }
  for (const { name: file, content } of copy.documents) {
    const document = inlineVertex(stage, scope, { [file]: content }, 0o644)
    add(document, `/${file}`, { unpack: false, contentsOnly: false, allowEmpty: false })
  }
  return actions
}

interface Remote {
  vertex: Vertex
  path: string
  unpack: boolean
}

function remoteVertex(
  stage: OpenStage,
  add: AddInstruction,
  source: string,
  { vertices }: PlanScope,
  name: string,
): Remote | undefined {
  const common = { inputs: [], name, source: add.source, ignoreCache: stage.ignoreCache, platform: stage.platform }
  const git = parseGitSource(source)
  if (git !== undefined) {
    const operation = {
      kind: "git" as const,
      url: formatGitSource(git),
      keepGitDir: same("keep-git-dir", add.keepGitDir, git.keepGitDir) ?? false,
      ...gitChecksum(add, git),
      ...(git.submodules === undefined ? {} : { submodules: git.submodules }),
    }
    return { vertex: vertices.make({ ...common, operation }), path: "/", unpack: false }
  }
  if (!isHttp(source)) return undefined
  const fileName = urlFileName(source)
  const checksum = add.checksum === "" ? {} : { checksum: parseDigest(add.checksum) }
  const operation = { kind: "http" as const, url: source, fileName, ...checksum }
  return { vertex: vertices.make({ ...common, operation }), path: `/${fileName}`, unpack: add.unpack ?? false }
}

function gitChecksum({ checksum }: AddInstruction, git: GitSource): { checksum?: string } {
  const found = same("checksum", checksum === "" ? undefined : checksum, git.checksum)
  if (found !== undefined && !/^[0-9a-f]{4,64}$/i.test(found))
    throw new InvalidArgument(`invalid checksum ${JSON.stringify(found)} of a git source`, {
      hint: "it is a commit's hash",
    })
  return found === undefined ? {} : { checksum: found.toLowerCase() }
}

function same<T>(what: string, flag: T | undefined, query: T | undefined): T | undefined {
  if (flag !== undefined && query !== undefined && flag !== query)
    throw new InvalidArgument(`inconsistent ${what} configuration: ${String(flag)} and ${String(query)}`)
  return query ?? flag
}

/** What a download is called: the last part of the URL's path, as buildkit has it. */
function urlFileName(url: string): string {
  if (!URL.canParse(url)) return "__unnamed__"
  const last = new URL(url).pathname.split("/").findLast((part) => part !== "") ?? ""
  const name = decodePart(last)
  return name === "" || name === "." || name === ".." || /[/\0]/.test(name) ? "__unnamed__" : name
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function isHttp(source: string): boolean {
  return /^https?:\/\//.test(source)
}

function isRemote(source: string): boolean {
  return isHttp(source) || parseGitSource(source) !== undefined
}

function checkSources(copy: Copy): void {
  if (copy.kind === "copy") {
    for (const source of copy.sources)
      if (isRemote(source))
        throw new InvalidArgument(`source can't be a ${parseGitSource(source) ? "git ref" : "URL"} for COPY`, {
          hint: "use ADD for URLs and git repositories",
        })
    return
  }
  if (copy.checksum === "") return
  const [source = ""] = copy.sources
  if (copy.sources.length !== 1) throw new InvalidArgument("checksum can't be specified for multiple sources")
  if (!isRemote(source)) throw new InvalidArgument("checksum requires HTTP(S) or Git sources")
}

/** `--chmod`: octal up to 07777, or chmod(1)'s `u=rwX,go+r`. */
function checkMode(mode: string): void {
  if (mode === "" || (/^[0-7]+$/.test(mode) && Number.parseInt(mode, 8) <= 0o7777)) return
  if (mode.split(",").every((clause) => /^[ugoa]*(?:[-+=](?:[rwxXst]+|[ugo])?)+$/.test(clause))) return
  throw new InvalidArgument(`invalid chmod parameter: '${mode}'. it should be octal string and between 0 and 07777`, {
    hint: "or symbolic, such as u=rwX,go=rX",
  })
}

/** With --parents, what stands before `/./` is not kept below the target. */
function pivotPath(source: string): string {
  const pivot = source.indexOf("/./")
  const head = cleanPath(`/${pivot < 0 ? "" : source.slice(0, pivot)}`)
  const kept = cleanPath(`/${pivot < 0 ? source : source.slice(pivot + 3)}`)
  return pivot < 0 ? kept : `${head === "/" ? "" : head}/.${kept}`
}

/** Absolute, and with a slash at its end where it says that it is a directory. */
function absoluteTarget(directory: string, target: string): string {
  const path = cleanPath(target.startsWith("/") ? target : `${directory}/${target}`)
  const isDirectory = target === "" || target === "." || /(?:^|\/)\.?$/.test(target)
  return isDirectory && path !== "/" ? `${path}/` : path
}

function historyLine(copy: Copy): string {
  const words = [
    copy.kind === "add" ? "ADD" : "COPY",
    ...(copy.kind === "copy" && copy.parents ? ["--parents"] : []),
    ...(copy.chown === "" ? [] : [`--chown=${copy.chown}`]),
    ...(copy.chmod === "" ? [] : [`--chmod=${copy.chmod}`]),
    ...copy.sources,
    ...copy.documents.map(({ name }) => `<<${name}`),
    copy.target,
    "# buildkit",
  ]
  return words.join(" ")
}

function warnOfIgnored(copy: Copy, { ignore, warnings }: PlanScope): void {
  // with exceptions, what lies in an ignored directory may be there all the same
  if (ignore === undefined || ignore.isEmpty || ignore.hasExceptions) return
  for (const source of copy.sources) {
    const path = cleanPath(source).replace(/^\//, "")
    if (isHttp(source) || path === "" || path === "." || !ignore.excludes(path)) continue
    const verb = copy.kind === "add" ? "Add" : "Copy"
    const message = `Attempting to ${verb} file ${JSON.stringify(path)} that is excluded by .dockerignore`
    warnings.add("CopyIgnoredFile", message, copy.source, copy.comments)
  }
}
