import { basename } from "node:path"
import type { Database } from "../../base/database.ts"
import { log } from "../../base/log.ts"
import { randomHex } from "../../base/random-hex.ts"
import { textWithoutCredentials, withoutCredentials } from "../../base/without-credentials.ts"
import { formatPlatform } from "../../spec/platform.ts"
import type { BuildRequest, BuildResult, OnBuildEvent, PastBuild } from "../build.ts"
import { HistoryRecords } from "./records.ts"
import { StepLog } from "./step-log.ts"

const ID_BYTES = 12

/** Runs a build, and writes down how it ended. What cannot be written down is no failure of the build. */
export async function remembered(
  db: Database,
  request: BuildRequest,
  onEvent: OnBuildEvent,
  build: (onEvent: OnBuildEvent) => Promise<BuildResult>,
): Promise<BuildResult> {
  const startedAt = new Date()
  const steps = new StepLog()
  const remember = (ended: Pick<PastBuild, "status"> & Partial<PastBuild>) => {
    const past = { id: randomHex(ID_BYTES), ...requestOf(request), startedAt, endedAt: new Date(), ...ended }
    try {
      const { startedAt: from, endedAt: to, ...texts } = past
      const clean = withoutCredentials(texts)
      new HistoryRecords(db).add(
        { ...clean, startedAt: from, endedAt: to, steps: steps.steps },
        textWithoutCredentials(steps.text),
      )
    } catch (error) {
      log.debug("the build is not in the history", { error: String(error) })
    }
  }
  try {
    const result = await build((event) => {
      steps.take(event)
      onEvent(event)
    })
    const { digest } = result
    remember({
      status: "completed",
      images: result.images.map(({ id }) => id),
      ...(digest === undefined ? {} : { digest }),
    })
    return result
  } catch (error) {
    const text = steps.error ?? (error instanceof Error ? error.message : String(error))
    remember(request.signal?.aborted ? { status: "canceled" } : { status: "error", error: text })
    throw error
  }
}

function requestOf({ context, dockerfile, target, platforms, tags }: BuildRequest) {
  const origin = "url" in context ? context.url : context.kind === "directory" ? context.path : "-"
  const file = dockerfile === undefined ? undefined : "name" in dockerfile ? dockerfile.name : dockerfile.pathInContext
  const parts = [basename(origin.replace(/[?#].*$/, "")), file === undefined || file === "Dockerfile" ? "" : file]
  const name = parts.filter((part) => part !== "").join("/") + (target === undefined ? "" : ` (${target})`)
  return {
    name,
    context: origin,
    ...(file === undefined ? {} : { dockerfile: file }),
    ...(target === undefined ? {} : { target }),
    platforms: platforms.map(formatPlatform),
    tags,
    images: [],
  }
}
