import type { Project } from "../project.ts"
import { checkConsistency } from "./consistency.ts"
import { decodeProject } from "./decode.ts"
import { directoryOf, discoverFiles, firstDirectory } from "./discover.ts"
import { resolveEnvFiles, resolveLabelFiles, resolveOwnEnvironment } from "./env-files.ts"
import {
  defaultEnvFile,
  namedEnvFiles,
  processEnvironment,
  readEnvFiles,
  withDefaults,
  type Environment,
} from "./environment.ts"
import { fault } from "./fault.ts"
import { loadModel } from "./model.ts"
import { readModelFile, type ModelContext, type ModelFile } from "./model-context.ts"
import { normalize } from "./normalize.ts"
import { parseFile } from "./parse.ts"
import { activeProfiles, applyProfiles, enableNamed } from "./profiles.ts"
import { projectName } from "./project-name.ts"
import { isRemote, type Remotes } from "./remote.ts"
import { checkInside } from "./remote-paths.ts"
import { dropUnused, selectServices } from "./select.ts"
import type { LoadedProject, LoadRequest, LoadWarning } from "./request.ts"
import type { TreeMap } from "./tree.ts"
import type { Warn } from "./warn.ts"

export type { LoadedProject, LoadRequest, LoadWarning } from "./request.ts"

/** Merged files in their long form, all services, not decoded. */
export interface LoadedModel {
  name: string
  model: TreeMap
  directory: string
  files: readonly string[]
  environment: Environment
  warnings: LoadWarning[]
}

/** All phases, in order. `remotes` brings files of other machines here. */
export async function loadProject(request: LoadRequest, remotes?: Remotes): Promise<LoadedProject> {
  const { name, model, directory, files, environment, warnings } = await loadProjectModel(request, remotes)
  const project: Project = {
    ...decodeProject(model),
    name,
    workingDirectory: directory,
    files,
    environment,
    environmentFiles: namedEnvFiles(request),
    profiles: [],
    disabledServices: {},
  }
  await chooseServices(project, request, (warning) => void warnings.push(warning))
  return { project, warnings }
}

/** The phases up to the one model; what it means for services is not looked at. */
export async function loadProjectModel(request: LoadRequest, remotes?: Remotes): Promise<LoadedModel> {
  const warnings: LoadWarning[] = []
  const warn: Warn = (warning) => void warnings.push(warning)
  const { files, directory, environment, context } = await openFiles(request, remotes, warn)
  const documents = files.flatMap((file) => file.documents)
  const name = projectName(request, environment, documents, directory)
  environment.COMPOSE_PROJECT_NAME = name
  const model = await loadModel(files, context)
  if (Object.keys(model).length === 0) throw emptyFile(files)
  if (!request.skipNormalization) {
    model.name = name
    // docker's finds no build argument without a value in a model whose variables stay as they are
    normalize(model, { name, environment: request.skipInterpolation ? {} : environment })
  }
  return { name, model, directory, files: files.map((file) => file.name), environment, warnings }
}

/** What is read, and what it is read with. */
interface OpenedFiles {
  files: ModelFile[]
  directory: string
  environment: Environment
  context: ModelContext
}

async function openFiles(request: LoadRequest, remotes: Remotes | undefined, warn: Warn): Promise<OpenedFiles> {
  const named = namedEnvFiles(request)
  const ofProcess = processEnvironment(request)
  const early = firstDirectory(request)
  const first = named.length > 0 ? named : await defaultEnvFile(early, ofProcess)
  let environment = withDefaults(ofProcess, await readEnvFiles(first, ofProcess, warn))
  const found = await Promise.all(discoverFiles(request, environment, warn).map((file) => locate(file, remotes)))
  const directory = directoryOf(
    request,
    found.map(({ path }) => path),
  )
  if (named.length === 0 && directory !== early) {
    const files = await defaultEnvFile(directory, ofProcess)
    // of a remote project it may be a link
    if (!request.projectDirectory) for (const file of files) checkInside(found[0]?.root, file)
    environment = withDefaults(environment, await readEnvFiles(files, environment, warn))
  }
  const context: ModelContext = {
    request,
    environment,
    directory,
    pathBase: directory,
    root: found[0]?.root,
    warn,
    remotes,
    chain: [],
    read: { files: 0 },
  }
  const files: ModelFile[] = []
  for (const { path, root } of found) files.push({ ...(await openFile(path, request, context)), root })
  return { files, directory, environment, context }
}

async function locate(file: string, remotes: Remotes | undefined): Promise<{ path: string; root?: string }> {
  if (!isRemote(file)) return { path: file }
  if (remotes === undefined) throw fault(`cannot read ${file}`)
  const { file: path, root } = await remotes.fetch(file)
  return { path, root }
}

async function openFile(path: string, request: LoadRequest, context: ModelContext): Promise<ModelFile> {
  if (path !== "-") return readModelFile(path, context)
  const text = (await request.readStandardInput?.()) ?? ""
  return { name: path, documents: parseFile(new TextEncoder().encode(text), path) }
}

function emptyFile(files: readonly ModelFile[]): Error {
  const [first] = files
  return fault("empty compose file", first && { file: first.name, line: 1, column: 1 })
}

/** Which services there are, whether they agree, and what they take from env files. */
async function chooseServices(project: Project, request: LoadRequest, warn: Warn): Promise<void> {
  applyProfiles(project, activeProfiles(request, project.environment))
  if (!request.skipConsistency) checkConsistency(project)
  const { services = [], allResources = false } = request
  enableNamed(project, services)
  selectServices(project, services)
  await resolveLabelFiles(project, warn)
  if (!request.skipEnvironmentResolution) await resolveEnvFiles(project, warn)
  else resolveOwnEnvironment(project)
  if (!allResources) dropUnused(project)
}
