import { FailedPrecondition } from "../base/errors.ts"
import type { Containers } from "../container/container.ts"
import { checkStandardInput } from "./terminal/check-input.ts"
import { joinContainer } from "./terminal/join-container.ts"

/** How `attach` joins a container. */
export interface AttachFlags {
  noStdin: boolean
  sigProxy: boolean
  detachKeys: Uint8Array | undefined
}

/** Joins our terminal or streams to a running container's; gives the exit code. Throws FailedPrecondition in docker's words. */
export async function attachTo(containers: Containers, given: string, flags: AttachFlags): Promise<number> {
  const { id, name, options, state } = containers.get(given)
  const data = { object: "container", name, id, status: state.status }
  if (state.status === "paused")
    throw new FailedPrecondition("cannot attach to a paused container", {
      hint: `unpause it: skiff unpause ${name}`,
      data,
    })
  if (state.status !== "running")
    throw new FailedPrecondition("cannot attach to a stopped container", {
      hint: `start it: skiff start -a ${name}`,
      data,
    })
  const stdin = options.stdin && !flags.noStdin
  checkStandardInput({ tty: options.tty, stdin })
  const join = (hearSignals: () => void) => {
    hearSignals()
    return containers.attach(id, { stdin })
  }
  const { sigProxy, detachKeys } = flags
  return joinContainer(containers, join, {
    sigProxy,
    tty: options.tty,
    stdin,
    ...(detachKeys === undefined ? {} : { detachKeys }),
  })
}
