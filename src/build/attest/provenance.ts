import { VERSION } from "../../base/version.ts"
import type { Predicate } from "../../spec/in-toto.ts"
import { formatPlatform, hostPlatform } from "../../spec/platform.ts"
import type { AttestationRequest, BuildRequest } from "../build.ts"
import type { Vertex } from "../plan/definition.ts"
import type { Plan } from "../plan/plan.ts"
import type { Material, Materials } from "./materials.ts"
import { withoutCredentials } from "../../base/without-credentials.ts"

/** The type of the predicate (SLSA v1.0, provenance). */
export const PROVENANCE_TYPE = "https://slsa.dev/provenance/v1"

/** Names the meaning of the parameters below (SLSA v1.0, buildType): docs/build.md, "Attestations". */
const BUILD_TYPE = "urn:skiff:build:dockerfile:v1"

/** What of a build its provenance tells. */
export interface BuildRun {
  request: BuildRequest
  /** Of the build. */
  id: string
  startedAt: Date
  finishedAt: Date
  materials: Materials
}

type ProvenanceRequest = AttestationRequest & { type: "provenance" }

/** How a platform's image was made, as SLSA v1.0 tells it. Secrets are told by their ids alone, and only with `mode=max`. */
export function provenancePredicate(
  { mode, builderId, reproducible }: ProvenanceRequest,
  plan: Plan,
  run: BuildRun,
): Predicate {
  const isWhole = mode === "max"
  const { request, materials } = run
  const predicate = {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: {
        configSource: configSource(request, plan, materials),
        request: requestParameters(request, plan, isWhole),
      },
      internalParameters: {
        builderPlatform: formatPlatform(hostPlatform()),
        ...(isWhole ? { buildConfig: { steps: graphOf(plan.vertices) } } : {}),
      },
      resolvedDependencies: materials.list({ target: plan.platform, sources: sourcesOf(request, plan) }),
    },
    runDetails: {
      builder: { id: builderId ?? `urn:skiff:builder:${VERSION}`, version: { skiff: VERSION } },
      metadata: {
        invocationId: run.id,
        startedOn: run.startedAt.toISOString(),
        finishedOn: run.finishedAt.toISOString(),
        skiff_completeness: { request: isWhole, resolvedDependencies: request.context.kind !== "directory" },
        skiff_reproducible: reproducible ?? request.verifyReproducible === true,
        ...(isWhole ? { skiff_source: sourceOf(plan) } : {}),
      },
    },
  }
  return { predicateType: PROVENANCE_TYPE, predicate: withoutCredentials(predicate) }
}

/** The addresses that a plan reads: of its contexts, of ADD. */
function sourcesOf({ context, namedContexts }: BuildRequest, { vertices }: Plan): Set<string> {
  const contexts = [context, ...Object.values(namedContexts)].flatMap((each) => ("url" in each ? [each.url] : []))
  const added = vertices.flatMap(({ operation }) => ("url" in operation ? [operation.url] : []))
  return new Set([...contexts, ...added])
}

/** Where the Dockerfile came from; of a local directory its name alone. */
function configSource(
  { context }: BuildRequest,
  { dockerfile }: Plan,
  materials: Materials,
): Partial<Material> & { path: string } {
  const found = context.kind === "git" || context.kind === "http" ? materials.find(context.url) : undefined
  return { ...found, path: dockerfile.name }
}

function requestParameters(request: BuildRequest, { platform }: Plan, isWhole: boolean) {
  const { target, args, labels, secrets, ssh, namedContexts, noCache, network, squash, epoch } = request
  const options = {
    ...(target === undefined ? {} : { target }),
    platform: formatPlatform(platform),
    ...(noCache === false || (Array.isArray(noCache) && noCache.length === 0) ? {} : { "no-cache": noCache }),
    ...(network === "default" ? {} : { network }),
    ...(squash ? { squash } : {}),
    ...(epoch === undefined ? {} : { "source-date-epoch": epoch }),
    ...Object.fromEntries(
      Object.entries(namedContexts).map(([name, context]) => [`context:${name}`, contextName(context)]),
    ),
  }
  const told = isWhole
    ? {
        ...prefixed("build-arg", args),
        ...prefixed("label", labels),
      }
    : {}
  return {
    frontend: "dockerfile.v0",
    args: { ...options, ...told },
    locals: request.context.kind === "directory" ? [{ name: "context" }] : [],
    ...(isWhole && secrets.length > 0 ? { secrets: secrets.map(({ id }) => ({ id })) } : {}),
    ...(isWhole && ssh.length > 0 ? { ssh: ssh.map(({ id }) => ({ id })) } : {}),
  }
}

/** No path of this host. */
function contextName(context: BuildRequest["namedContexts"][string]): string {
  if (context.kind === "image") return `docker-image://${context.name}`
  return "url" in context ? context.url : "local"
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}:${name}`, value]))
}

/** The graph as it was solved: inputs by the ids of their steps. */
function graphOf(vertices: readonly Vertex[]) {
  const ids = new Map(vertices.map((vertex, index) => [vertex, `step${index}`]))
  return vertices.map((vertex) => {
    const { name, operation, inputs, platform, source } = vertex
    return {
      id: ids.get(vertex),
      name,
      operation,
      inputs: inputs.map((input) => ids.get(input)),
      platform: formatPlatform(platform),
      ...(source === undefined ? {} : { source }),
    }
  })
}

/** The Dockerfile, as it was read; its lines are what the steps' `source` counts. */
function sourceOf({ dockerfile: { name, text } }: Plan) {
  return { infos: [{ filename: name, language: "Dockerfile", data: text }] }
}
