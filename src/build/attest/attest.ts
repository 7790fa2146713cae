import type { Predicate } from "../../spec/in-toto.ts"
import { packageUrl, parseReference } from "../../image/image.ts"
import { formatPlatform } from "../../spec/platform.ts"
import type { BuildEvents } from "../build-events.ts"
import type { Plan } from "../plan/plan.ts"
import { provenancePredicate, type BuildRun } from "./provenance.ts"
import { findPackages, sbomPredicate, type FoundPackages, type SbomFormat } from "../../sbom/sbom.ts"

/** What is told of a build in its attestations. */
export interface AttestOptions {
  run: Omit<BuildRun, "finishedAt">
  events: BuildEvents
  /** Gives the host path of the result's files, mounted. */
  view(): Promise<string>
}

/** What the request wants to be attested of one platform's result. */
export async function predicatesOf(plan: Plan, { run, events, view }: AttestOptions): Promise<Predicate[]> {
  const { attestations = [] } = run.request
  const formats = attestations.flatMap((each) => (each.type === "sbom" ? [each.format] : []))
  const sboms = formats.length === 0 ? [] : await makeSboms(formats, plan, { run, events, view })
  const finished = { ...run, finishedAt: new Date() }
  const provenance = attestations.flatMap((each) =>
    each.type === "provenance" ? [provenancePredicate(each, plan, finished)] : [],
  )
  return [...sboms, ...provenance]
}

async function makeSboms(
  formats: readonly SbomFormat[],
  plan: Plan,
  { run, events, view }: AttestOptions,
): Promise<Predicate[]> {
  return await events.step(`[${formatPlatform(plan.platform)}] generating sbom`, async (number) => {
    const { onProgress } = events.contextOf(number)
    const found = findPackages(await view())
    onProgress({ id: "packages", stage: "packages-found", current: found.packages.length })
    for (const what of found.leftOut) onProgress({ id: what, stage: "not-inspected", subject: what })
    return formats.map((format) => sbomPredicate(format, found, subjectOf(plan, run, found)))
  })
}

function subjectOf(plan: Plan, { request, startedAt }: AttestOptions["run"], { distribution }: FoundPackages) {
  const [tag] = request.tags
  const createdAt = plan.epoch === undefined ? startedAt : new Date(plan.epoch * 1000)
  return {
    name: tag ?? plan.dockerfile.stages.at(-1)?.name ?? distribution?.id ?? "image",
    ...(tag === undefined ? {} : { purl: packageUrl(parseReference(tag), plan.platform) }),
    // SPDX 2.3, clause 6.9.3: whole seconds
    createdAt: createdAt.toISOString().replace(/\.\d+Z$/, "Z"),
  }
}
