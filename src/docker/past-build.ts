import type { PastBuild } from "../build/build.ts"
import { formatAgo } from "./ages.ts"

const SHORT_NAME = 36

/** A line of `buildx history ls`, with docker's names. */
export interface PastBuildRow {
  Ref: string
  Name: string
  Status: string
  CreatedAt: string
  Duration: string
  TotalSteps: number
  CompletedSteps: number
  CachedSteps: number
}

/** `whole`: names are not cut. */
export function pastBuildRow(build: PastBuild, now: Date, whole: boolean): PastBuildRow {
  const { id, name, status, startedAt, steps } = build
  return {
    Ref: id,
    Name: whole || name.length <= SHORT_NAME ? name : `${name.slice(0, SHORT_NAME - 1)}…`,
    Status: titled(status),
    CreatedAt: formatAgo(startedAt, now),
    Duration: seconds(build),
    TotalSteps: steps.total,
    CompletedSteps: steps.done,
    CachedSteps: steps.cached,
  }
}

/** What `buildx history inspect --format json` prints. */
export function pastBuildDocument(build: PastBuild): object {
  const { id, name, status, context, dockerfile, target, platforms, startedAt, endedAt, steps, tags } = build
  return {
    Name: name,
    Ref: id,
    Context: context,
    ...(dockerfile === undefined ? {} : { Dockerfile: dockerfile }),
    ...(target === undefined ? {} : { Target: target }),
    Platform: platforms,
    Tags: tags,
    StartedAt: startedAt.toISOString(),
    CompletedAt: endedAt.toISOString(),
    Duration: (endedAt.getTime() - startedAt.getTime()) * 1e6,
    Status: status,
    ...(build.error === undefined ? {} : { Error: { Message: build.error } }),
    NumCompletedSteps: steps.done,
    NumTotalSteps: steps.total,
    NumCachedSteps: steps.cached,
    Images: build.images,
    ...(build.digest === undefined ? {} : { Digest: build.digest }),
  }
}

/** The same for people. */
export function pastBuildLines(build: PastBuild): string[] {
  const { steps, images, tags, platforms, target, error } = build
  const lines: [string, string | undefined][] = [
    ["Name", build.name],
    ["Context", build.context],
    ["Dockerfile", build.dockerfile],
    ["Target", target],
    ["Platforms", platforms.join(", ") || undefined],
    ["Started", build.startedAt.toISOString()],
    ["Duration", seconds(build)],
    ["Status", titled(build.status)],
    ["Build Steps", `${steps.done}/${steps.total} (${steps.cached} cached)`],
    ["Images", images.join(", ") || undefined],
    ["Tags", tags.join(", ") || undefined],
    ["Error", error],
  ]
  return lines.flatMap(([title, value]) => (value === undefined ? [] : [`${`${title}:`.padEnd(15)}${value}`]))
}

function titled(status: string): string {
  return status.charAt(0).toUpperCase() + status.slice(1)
}

function seconds({ startedAt, endedAt }: PastBuild): string {
  return `${((endedAt.getTime() - startedAt.getTime()) / 1000).toFixed(1)}s`
}
