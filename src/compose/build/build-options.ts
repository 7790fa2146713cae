import { resolve } from "node:path"
import { parseSize } from "../../base/sizes.ts"
import { FailedPrecondition, InvalidArgument, NotFound, Unsupported } from "../../base/errors.ts"
import {
  dockerfileOfDirectory,
  readCacheSource,
  readCacheTarget,
  readContextWord,
  readNamedContext,
  readProvenance,
  readSbom,
  readSsh,
  type AttestationRequest,
  type BuildOptions,
  type NamedContext,
  type SecretSource,
} from "../../build/build.ts"
import { parsePlatform } from "../../spec/platform.ts"
import type { Ulimit as UlimitRange } from "../../spec/docker/ulimit.ts"
import { imageName } from "../service/names.ts"
import { COMPOSE_VERSION, LABEL } from "../labels.ts"
import type { Build, Mapping, Project, Service, Ulimit } from "../project.ts"
import { serviceContext } from "./build-order.ts"

/** What a caller of `build` wants otherwise than the files say. */
export interface BuildChoices {
  /** Between the parts of an image's name: `-`, or `_` as compose 1 has it. */
  separator?: "-" | "_"
  /** Over the files' own. */
  args?: Readonly<Record<string, string | undefined>>
  noCache?: boolean
  /** Ask the registries for newer base images. */
  pull?: boolean
  push?: boolean
  /** Agents for every build: `default`, `id=socket`. */
  ssh?: readonly string[]
  provenance?: string
  sbom?: string
  memoryBytes?: number | undefined
  /** Of each name only one platform: for what runs here at once. */
  onePlatform?: boolean
}

/** The build of one service, as `Builds.build` takes it. Reads what is beside the context; throws InvalidArgument, NotFound, Unsupported. */
export function serviceBuild(
  project: Project,
  name: string,
  service: Service,
  choices: BuildChoices = {},
): BuildOptions {
  const build = service.build ?? {}
  const { separator = "-" } = choices
  try {
    return {
      ...filesOf(build),
      namedContexts: contextsOf(project, build, separator),
      args: argsOf(project, build.args, choices.args),
      ...(build.target === undefined ? {} : { target: build.target }),
      tags: [imageName({ project, key: name, service, separator }), ...(build.tags ?? [])],
      labels: {
        ...build.labels,
        [LABEL.project]: project.name,
        [LABEL.service]: name,
        [LABEL.version]: COMPOSE_VERSION,
      },
      platforms: platformsOf(project, service, choices).map((one) => parsePlatform(one)),
      cacheFrom: (build.cache_from ?? []).map(readCacheSource),
      cacheTo: (build.cache_to ?? []).map(readCacheTarget),
      noCache: choices.noCache === true || build.no_cache === true,
      pull: choices.pull === true || build.pull === true ? "always" : "missing",
      network: networkOf(build.network),
      extraHosts: (build.extra_hosts ?? []).map((host) => host.replace("=", ":")),
      secrets: secretsOf(project, build),
      ssh: [...(build.ssh ?? []), ...(choices.ssh ?? [])].map(readSsh),
      ulimits: ulimitsOf(build.ulimits),
      ...(build.shm_size === undefined ? {} : { shmSizeBytes: parseSize(build.shm_size) }),
      resources: choices.memoryBytes === undefined ? {} : { memoryBytes: choices.memoryBytes },
      allow: [...(build.entitlements ?? []), ...(build.privileged === true ? ["security.insecure"] : [])],
      ...attestationsOf(choices.provenance ?? build.provenance, choices.sbom ?? build.sbom),
      outputs: [
        { type: "image" },
        ...(choices.push === true && service.image !== undefined ? [{ type: "registry" as const }] : []),
      ],
    }
  } catch (error) {
    throw named(name, error)
  }
}

/** What is wrong is wrong with this service. */
function named(name: string, error: unknown): unknown {
  if (!(error instanceof InvalidArgument || error instanceof NotFound || error instanceof Unsupported)) return error
  return error.restated(`service "${name}": ${error.message}`)
}

function filesOf(build: Build): Pick<BuildOptions, "context" | "dockerfile" | "ignoreFile"> {
  const context = readContextWord(build.context ?? ".")
  if (build.dockerfile_inline !== undefined)
    return { context, dockerfile: { text: build.dockerfile_inline, name: "Dockerfile" } }
  // the default: the builder looks for a Containerfile, too
  if (build.dockerfile === undefined || build.dockerfile === "Dockerfile") return { context }
  if (context.kind !== "directory") return { context, dockerfile: { pathInContext: build.dockerfile } }
  return { context, ...dockerfileOfDirectory(context.path, resolve(context.path, build.dockerfile)) }
}

function contextsOf(
  project: Project,
  { additional_contexts: contexts = {} }: Build,
  separator: "-" | "_",
): Record<string, NamedContext> {
  return Object.fromEntries(
    Object.entries(contexts).map(([name, context]): [string, NamedContext] => {
      const other = serviceContext(context)
      if (other === undefined) return readNamedContext(`${name}=${context}`)
      const service = project.services[other] ?? project.disabledServices[other]
      if (!service)
        throw new InvalidArgument(`the build takes its context "${name}" from the undefined service "${other}"`)
      return [name.toLowerCase(), { kind: "image", name: imageName({ project, key: other, service, separator }) }]
    }),
  )
}

/** A name without a value takes the project's environment's; what that does not have is not given. */
function argsOf(
  { environment }: Project,
  args: Mapping = {},
  more: NonNullable<BuildChoices["args"]> = {},
): Record<string, string> {
  const all = [...Object.entries(args), ...Object.entries(more)]
  return Object.fromEntries(
    all.flatMap(([key, value]): [string, string][] => {
      const given = value ?? environment[key]
      return given === undefined ? [] : [[key, given]]
    }),
  )
}

function platformsOf({ environment }: Project, { platform, build }: Service, { onePlatform }: BuildChoices): string[] {
  const own = platform ?? environment.DOCKER_DEFAULT_PLATFORM
  const all = build?.platforms ?? []
  if (own !== undefined && own !== "" && (onePlatform === true || all.length === 0)) return [own]
  return onePlatform === true && all.length > 1 ? [] : [...all]
}

function networkOf(network: string | undefined): "default" | "none" | "host" {
  if (network === undefined || network === "") return "default"
  if (network === "default" || network === "none" || network === "host") return network
  throw new Unsupported(`steps of a build cannot run on the network "${network}"`, {
    hint: "valid for build.network: default, host, none",
  })
}

function secretsOf({ secrets, environment }: Project, build: Build): SecretSource[] {
  return (build.secrets ?? []).map(({ source, target }) => {
    const secret = secrets[source]
    const id = target ?? source
    if (secret?.file !== undefined) return { id, source: { file: secret.file } }
    if (secret?.environment !== undefined) {
      const text = environment[secret.environment]
      if (text !== undefined) return { id, source: { text } }
      throw new FailedPrecondition(
        `environment variable "${secret.environment}" required by secret "${source}" is not set`,
      )
    }
    throw new Unsupported(`unsupported external secret ${source}: builds read secrets of files and the environment`)
  })
}

function ulimitsOf(ulimits: Record<string, Ulimit> = {}): UlimitRange[] {
  return Object.entries(ulimits).map(([name, limit]) =>
    typeof limit === "number" ? { name, soft: limit, hard: limit } : { name, soft: limit.soft, hard: limit.hard },
  )
}

function attestationsOf(provenance: string | undefined, sbom: string | undefined): Pick<BuildOptions, "attestations"> {
  const requests: AttestationRequest[] = [
    ...(provenance === undefined || provenance === "" ? [] : [readProvenance(provenance)]),
    ...(sbom === undefined || sbom === "" ? [] : [readSbom(sbom)]),
  ].flatMap(({ request }) => request ?? [])
  return requests.length === 0 ? {} : { attestations: requests }
}
