import type { Container, Resources } from "../../../container/container.ts"
import { CONTAINER_NAME_LABEL, RESTART_COUNT_LABEL } from "./labels.ts"

/** One run of a container of a pod, as the engine has it: each restart is another container. */
export interface Attempt {
  id: string
  /** As the pod calls it. */
  name: string
  /** 0 is the first. */
  attempt: number
  /** As it was asked for. */
  image: string
  imageId: string
  createdAt: number
  /** That it was made with, or has by now. */
  resources: Resources
  state:
    | { is: "created" }
    | { is: "running"; startedAt: number }
    | {
        is: "ended"
        exitCode: number
        /** Undefined: its program never ran. */
        startedAt?: number
        finishedAt: number
        isOutOfMemory: boolean
        /** The engine's words on why it did not start. */
        error?: string
        /** The machine was started since. */
        isOfEarlierBoot: boolean
      }
}

/** Undefined for a container that is no pod's, or is being removed. Pure. */
export function attemptOf(container: Container): Attempt | undefined {
  const { id, options, imageId, createdAt } = container
  const name = options.labels[CONTAINER_NAME_LABEL]
  const state = stateOf(container)
  if (name === undefined || state === undefined) return undefined
  return {
    id,
    name,
    attempt: Number(options.labels[RESTART_COUNT_LABEL] ?? 0) || 0,
    image: options.image,
    imageId,
    createdAt: createdAt.getTime(),
    resources: options.resources,
    state,
  }
}

function stateOf({ state, ending }: Container): Attempt["state"] | undefined {
  switch (state.status) {
    case "created":
      return { is: "created" }
    case "running":
    case "paused":
      return { is: "running", startedAt: state.startedAt.getTime() }
    case "restarting":
      return {
        is: "ended",
        exitCode: state.exitCode,
        startedAt: state.startedAt.getTime(),
        finishedAt: state.finishedAt.getTime(),
        isOutOfMemory: false,
        isOfEarlierBoot: false,
      }
    case "exited":
      return {
        is: "ended",
        exitCode: state.exitCode,
        ...(state.startedAt !== undefined && { startedAt: state.startedAt.getTime() }),
        finishedAt: state.finishedAt.getTime(),
        isOutOfMemory: state.oomKilled,
        ...(state.error !== undefined && state.error !== "" && { error: state.error }),
        isOfEarlierBoot: ending?.by === "reboot",
      }
    case "removing":
      return undefined
  }
}

/** One whose program never ran, with what the engine said to that. Pure. */
export function withFailure(
  attempt: Attempt,
  failure: { message: string; at: number; exitCode: number } | undefined,
): Attempt {
  if (failure === undefined || attempt.state.is === "running") return attempt
  return {
    ...attempt,
    state: {
      is: "ended",
      exitCode: failure.exitCode,
      finishedAt: failure.at,
      isOutOfMemory: false,
      error: failure.message,
      isOfEarlierBoot: false,
    },
  }
}
