import { InvalidArgument } from "../../base/errors.ts"
import type { Image } from "../../image/image.ts"
import { formatPlatform, parsePlatform } from "../../spec/platform.ts"
import type { Project, Service } from "../project.ts"
import { imageName } from "../service/names.ts"
import { platformOf } from "../service/service-options.ts"

/** How the image of a service comes to be here. */
export interface ImageStep {
  /** Of the service; of an image that is mounted, the service that mounts it. */
  service: string
  image: string
  platform?: string
  /** `pull-or-build`: its registry is asked, and where that has none it is built. */
  action: "pull" | "build" | "pull-or-build"
  reason: "missing" | "policy" | "platform" | "age"
}

/** What is asked of it by the caller. */
export interface ImageRules {
  build?: "always" | "missing" | "never" | undefined
  pull?: string | undefined
  separator: "-" | "_"
  now: number
  find(name: string): Image | undefined
}

/** When an image that is here is asked for anew. */
export type PullPolicy = { kind: "always" | "never" | "missing" | "build" } | { kind: "older"; maxAgeMs: number }

const DAY_MS = 86_400_000
const UNIT_MS: Readonly<Record<string, number>> = { w: 7 * DAY_MS, d: DAY_MS, h: 3_600_000, m: 60_000, s: 1000 }

/** Parses `pull_policy`. Throws InvalidArgument. */
export function parsePullPolicy(text: string, service: string): PullPolicy {
  if (text === "" || text === "if_not_present" || text === "missing") return { kind: "missing" }
  if (text === "always" || text === "never" || text === "build") return { kind: text }
  if (text === "daily") return { kind: "older", maxAgeMs: DAY_MS }
  if (text === "weekly") return { kind: "older", maxAgeMs: 7 * DAY_MS }
  const parts = [...text.replace(/^every_/, "").matchAll(/(\d+)([wdhms])/g)]
  if (
    !text.startsWith("every_") ||
    parts.map(([part]) => part).join("") !== text.slice("every_".length) ||
    parts.length === 0
  )
    throw new InvalidArgument(`services.${service}.pull_policy: unknown policy "${text}"`, {
      hint: { valid: ["always", "never", "missing", "build", "daily", "weekly", "every_12h"] },
    })
  return {
    kind: "older",
    maxAgeMs: parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNIT_MS[unit] ?? 0), 0),
  }
}

/** Which images are pulled and built for these services, each once; those that services mount, too. Pure. Throws InvalidArgument. */
export function planImages(project: Project, rules: ImageRules): ImageStep[] {
  const steps = new Map<string, ImageStep>()
  for (const [key, service] of Object.entries(project.services)) {
    if (service.provider !== undefined) continue
    const step = serviceStep(project, key, service, rules)
    // one that is built goes before one that only uses it
    if (step && (!steps.has(step.image) || step.action !== "pull")) steps.set(step.image, step)
    for (const { type, source = "" } of service.volumes ?? [])
      if (type === "image" && !steps.has(source) && !rules.find(source))
        steps.set(source, { service: key, image: source, action: "pull", reason: "missing" })
  }
  return [...steps.values()]
}

function serviceStep(project: Project, key: string, service: Service, rules: ImageRules): ImageStep | undefined {
  const image = imageName({ project, key, service, separator: rules.separator })
  const platform = platformOf({ service, project })
  const step = { service: key, image, ...(platform !== undefined && { platform }) }
  const local = rules.find(image)
  const lacks = local === undefined ? "missing" : isOfPlatform(local, platform) ? undefined : "platform"
  const policy = parsePullPolicy(rules.pull ?? service.pull_policy ?? "", key)
  const isBuilt = service.build !== undefined
  if (isBuilt && rules.build !== "never" && (rules.build === "always" || policy.kind === "build"))
    return { ...step, action: "build", reason: "policy" }
  const because = lacks ?? whenPresent(policy, local, rules.now)
  if (because === undefined) return undefined
  // one that nothing names is at no registry
  if (isBuilt && (service.image === undefined || policy.kind === "never"))
    return rules.build === "never" || lacks === undefined ? undefined : { ...step, action: "build", reason: because }
  if (policy.kind === "never") return undefined
  return { ...step, action: isBuilt && rules.build !== "never" ? "pull-or-build" : "pull", reason: because }
}

function whenPresent(policy: PullPolicy, local: Image | undefined, now: number): "policy" | "age" | undefined {
  if (policy.kind === "always") return "policy"
  if (policy.kind !== "older") return undefined
  return now - (local?.recordedAt?.getTime() ?? 0) > policy.maxAgeMs ? "age" : undefined
}

function isOfPlatform(image: Image, platform: string | undefined): boolean {
  if (platform === undefined) return true
  const wanted = parsePlatform(platform)
  return formatPlatform(wanted) === formatPlatform({ ...wanted, ...image.platform })
}
